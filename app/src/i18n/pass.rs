//! What is said of dishes at the pass.

use super::counted;
use crate::browser::clock::spell_minutes;
use domain::api::DishNews;
use domain::pass::Told;
use serde::Serialize;

texts! {
    /// What is said of dishes at the pass, by what it means.
    Texts {
    ready_dishes: "Plats prêts",
    ready: "prêt au passe",
    take: "Pris",
    take_all: "Tout pris",
    just_ready: "prêt à l’instant",
    ready_for: "prêt depuis",
    see_table: "Voir la table",
    fewer: "Réduire",
    nobody_came: "Personne n’est venu",
    of_waiter: "table de",
    offer_title: "Être prévenu quand un plat est prêt ?",
    offer_detail: "Même téléphone en poche, écran éteint : une notification, une vibration.",
    offer_detail_awake: "Même si une autre application est devant : une notification, une vibration.",
    offer_yes: "Me prévenir",
    offer_later: "Plus tard",
    refused: "Les notifications sont bloquées pour ce site : autorisez-les dans les réglages du navigateur.",
    sound_on: "Sonnerie activée",
    sound_off: "Sonnerie coupée",
    sound_asleep: "Sonnerie en veille : touchez l’écran",
    seen_by: "vu par",
    // the owner
    waits_title: "Attente au passe",
    waits_detail: "De « prêt » à « pris » ou « servi », pour tous les plats de la journée de service.",
    no_waits: "Aucun plat n’a encore quitté le passe",
    no_waits_detail: "Les attentes s’affichent dès qu’un plat est pris ou servi.",
    median: "Médiane",
    p95: "19 plats sur 20",
    p95_short: "19 sur 20",
    hour: "Heure",
    dishes: "Plats",
    escalated: "Relancés",
    whole_day: "Journée",
    }
}

/// The texts of the language in use.
#[must_use]
pub fn t() -> &'static Texts {
    &FR
}

/// What a phone shows when nobody looks at the page: the page shows it itself while it is awake, and its worker (`public/sw-notify.js`) what a
/// push service brings. Both say the same, so that told twice is shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// In bold.
    pub title: String,
    /// Below.
    pub body: String,
    /// The same again replaces the one that is shown.
    pub tag: String,
    /// Where a tap leads.
    pub url: String,
}

/// Under which a dish is shown.
#[must_use]
pub fn tag(event_id: i64) -> String {
    format!("dish-{event_id}")
}

impl Texts {
    /// What a phone shows of a dish at the pass.
    #[must_use]
    pub fn notice(&self, news: &DishNews, told: Told) -> Notice {
        let why = self.told(told, &news.server_name);
        let dish = if news.qty > 1 { self.plates(news.qty, &news.dish) } else { news.dish.clone() };
        Notice {
            title: format!("{} · {}", super::t().table_named(&news.table), self.ready),
            body: [Some(dish), why].into_iter().flatten().collect::<Vec<_>>().join(" — "),
            tag: tag(news.event_id),
            url: format!("/table/{}", news.table_id),
        }
    }

    /// Why somebody hears of a table that is not theirs.
    #[must_use]
    pub fn told(&self, told: Told, waiter: &str) -> Option<String> {
        (told > Told::Waiter).then(|| format!("{}\u{a0}: {} {waiter}", self.nobody_came, self.of_waiter))
    }

    /// How many more tables there are.
    #[must_use]
    pub fn more(&self, count: u32) -> String {
        format!("+ {}", counted(count, "table", "tables"))
    }

    /// `3 × Magret de canard`.
    #[must_use]
    pub fn plates(&self, qty: u32, dish: &str) -> String {
        format!("{qty}\u{a0}× {dish}")
    }

    /// How long the oldest dish of a table has waited.
    #[must_use]
    pub fn ready_since(&self, minutes: i64) -> String {
        if minutes < 1 { self.just_ready.to_owned() } else { format!("{} {}", self.ready_for, spell_minutes(minutes)) }
    }

    /// Who said that they see to it.
    #[must_use]
    pub fn seen(&self, name: &str) -> String {
        format!("{} {name}", self.seen_by)
    }

    /// `3 plats attendent`.
    #[must_use]
    pub fn still_waiting(&self, count: u32) -> String {
        format!("{} en ce moment", counted(count, "plat attend", "plats attendent"))
    }

    /// `1 min 05 s`, `45 s`.
    #[must_use]
    pub fn span(&self, seconds: u32) -> String {
        match seconds {
            ..60 => format!("{seconds}\u{a0}s"),
            _ => format!("{}\u{a0}min\u{a0}{:02}\u{a0}s", seconds / 60, seconds % 60),
        }
    }

    /// `12 h – 13 h`.
    #[must_use]
    pub fn of_hour(&self, hour: u8) -> String {
        format!("{hour}\u{a0}h\u{a0}–\u{a0}{}\u{a0}h", (u32::from(hour) + 1) % 24)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_said_as_people_say_them() {
        assert_eq!((t().span(0), t().span(59), t().span(65)), ("0\u{a0}s".into(), "59\u{a0}s".into(), "1\u{a0}min\u{a0}05\u{a0}s".into()));
        assert_eq!(t().of_hour(23), "23\u{a0}h\u{a0}–\u{a0}0\u{a0}h");
        assert_eq!((t().ready_since(0), t().ready_since(4)), ("prêt à l’instant".into(), "prêt depuis 4\u{a0}min".into()));
        assert_eq!(t().told(Told::Waiter, "Alice"), None);
        assert_eq!(t().told(Told::Till, "Alice").as_deref(), Some("Personne n’est venu\u{a0}: table de Alice"));
    }
}
