//! What the kitchen has to know about a dish: one tap per question. The sheet closes itself with the last required answer.

use super::ordering::Ordering;
use crate::components::icon::{Glyph, Icon};
use crate::draft::DraftLine;
use crate::i18n::order::order as texts;
use domain::Cents;
use domain::menu::{Allergen, MenuItem, OptionGroup};
use domain::order::OptionChosen;
use leptos::prelude::*;

/// The questions of a dish that is not on the order yet.
#[component]
pub(super) fn Choose(ordering: Ordering, item: MenuItem, with_wine: bool) -> impl IntoView {
    let chosen = RwSignal::new(Vec::<OptionChosen>::new());
    let MenuItem { id, options, price, .. } = item.clone();
    let (asked, priced) = (options.clone(), options.clone());
    let allergens = Signal::derive(move || chosen.with(|chosen| item.allergens_with(chosen)));
    let on_choose = Callback::new(move |answers: Vec<OptionChosen>| {
        if is_answered(&asked, &answers) {
            ordering.add_with(DraftLine { options: answers, ..id.into() }, with_wine);
            ordering.close();
        } else {
            chosen.set(answers);
        }
    });
    let total = move || (price + chosen.with(|chosen| surcharge(&priced, chosen))).to_string();
    view! {
        <div class="panel" data-testid="choose">
            <p class="panel-price number">{total}</p>
            <Questions groups=options chosen=chosen avoided=ordering.avoided on_choose=on_choose/>
            <Allergens allergens=allergens/>
        </div>
    }
}

/// Questions with their answers as large buttons: the required ones first. Each answer says what it brings, and warns of what is `avoided`.
/// `on_choose` is told all answers.
#[component]
pub(super) fn Questions(
    groups: Vec<OptionGroup>,
    #[prop(into)] chosen: Signal<Vec<OptionChosen>>,
    avoided: RwSignal<Vec<Allergen>>,
    on_choose: Callback<Vec<OptionChosen>>,
) -> impl IntoView {
    let all = StoredValue::new(groups.clone());
    let mut shown = groups;
    shown.sort_by_key(|group| !group.required);
    let question = move |group: OptionGroup| {
        let OptionGroup { group: name, required, choices } = group;
        let answer = {
            let name = name.clone();
            move |choice: domain::menu::OptionChoice| {
                let this = OptionChosen { group: name.clone(), choice: choice.choice.clone() };
                let testid = format!("option-{}", choice.choice);
                let brings = brings(choice.allergens, avoided);
                let same = this.clone();
                let pressed = move || if chosen.with(|chosen| chosen.contains(&same)) { "true" } else { "false" };
                let choose =
                    move |_| on_choose.run(all.with_value(|groups| chosen.with_untracked(|chosen| answered(groups, chosen, &this))));
                view! {
                    <button type="button" class="option" aria-pressed=pressed data-testid=testid on:click=choose>
                        <span>{choice.choice}</span>
                        {(choice.price != Cents::ZERO).then(|| view! { <span class="option-price number">"+ "{choice.price.to_string()}</span> })}
                        {brings}
                    </button>
                }
            }
        };
        view! {
            <fieldset class:is-required=required>
                <legend>{name}" "<small>{if required { texts().to_choose } else { texts().optional }}</small></legend>
                <div class="options">{choices.into_iter().map(answer).collect_view()}</div>
            </fieldset>
        }
    };
    shown.into_iter().map(question).collect_view()
}

/// What a button brings, small under its word; loud when it is what the guest must not eat.
pub(super) fn brings(allergens: Vec<Allergen>, avoided: RwSignal<Vec<Allergen>>) -> impl IntoView {
    let t = texts();
    (!allergens.is_empty()).then_some(move || {
        let (is_warned, list) = avoided.with(|avoided| {
            let avoided: Vec<Allergen> = allergens.iter().copied().filter(|one| avoided.contains(one)).collect();
            (!avoided.is_empty(), t.allergen_list(if avoided.is_empty() { &allergens } else { &avoided }))
        });
        if is_warned {
            view! { <span class="option-brings is-avoided"><Icon glyph=Glyph::Alert/>{t.contains}" "{list}</span> }.into_any()
        } else {
            view! { <span class="option-brings"><span class="visually-hidden">{t.contains}" "</span>{list}</span> }.into_any()
        }
    })
}

/// The allergens of a dish in full words.
#[component]
pub(super) fn Allergens(#[prop(into)] allergens: Signal<Vec<Allergen>>) -> impl IntoView {
    let t = texts();
    let words = move || {
        allergens.with(|allergens| match allergens.as_slice() {
            [] => t.no_allergens.to_owned(),
            some => format!("{} : {}", t.allergens, t.allergen_list(some)),
        })
    };
    view! { <p class="allergens" data-testid="allergens">{words}</p> }
}

/// The allergens of what a *formule* is made of, part by part.
#[component]
pub(super) fn AllergensOfParts(#[prop(into)] parts: Signal<Vec<(String, Vec<Allergen>)>>) -> impl IntoView {
    let t = texts();
    let part = move |(name, allergens): (String, Vec<Allergen>)| {
        let list = if allergens.is_empty() { t.none_declared.to_owned() } else { t.allergen_list(&allergens) };
        view! { <li><strong>{name}</strong>" : "{list}</li> }
    };
    view! {
        <div class="allergens" data-testid="allergens">
            <p>{t.allergens}</p>
            <ul>{move || parts.get().into_iter().map(part).collect_view()}</ul>
        </div>
    }
}

/// The answers after one more, in the order in which the menu asks. The same answer again takes it back, unless the kitchen needs one.
pub(super) fn answered(groups: &[OptionGroup], chosen: &[OptionChosen], now: &OptionChosen) -> Vec<OptionChosen> {
    let answer = |group: &OptionGroup| {
        let before = chosen.iter().find(|answer| answer.group == group.group);
        match before {
            _ if group.group != now.group => before.cloned(),
            Some(before) if before == now && !group.required => None,
            _ => Some(now.clone()),
        }
    };
    groups.iter().filter_map(answer).collect()
}

/// Whether every question is answered that the kitchen cannot do without.
pub(super) fn is_answered(groups: &[OptionGroup], chosen: &[OptionChosen]) -> bool {
    groups.iter().filter(|group| group.required).all(|group| chosen.iter().any(|answer| answer.group == group.group))
}

/// What the answers add to the price of one.
pub(super) fn surcharge(groups: &[OptionGroup], chosen: &[OptionChosen]) -> Cents {
    let price = |answer: &OptionChosen| {
        let group = groups.iter().find(|group| group.group == answer.group)?;
        group.choices.iter().find(|choice| choice.choice == answer.choice).map(|choice| choice.price)
    };
    chosen.iter().filter_map(price).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::tests::{entrecote, menu};

    fn say(group: &str, choice: &str) -> OptionChosen {
        OptionChosen { group: group.into(), choice: choice.into() }
    }

    #[test]
    fn answers_stand_as_the_menu_asks_and_cost_what_it_says() {
        let groups = menu().item(entrecote()).unwrap().options.clone();
        let first = answered(&groups, &[], &say("Sauce", "Béarnaise"));
        assert!(!is_answered(&groups, &first));
        let both = answered(&groups, &first, &say("Cuisson", "Bleu"));
        assert_eq!(both, [say("Cuisson", "Bleu"), say("Sauce", "Béarnaise")]);
        assert!(is_answered(&groups, &both));
        assert_eq!(surcharge(&groups, &both), Cents(250));
    }

    #[test]
    fn only_what_is_not_required_is_taken_back() {
        let groups = menu().item(entrecote()).unwrap().options.clone();
        let both = [say("Cuisson", "Bleu"), say("Sauce", "Béarnaise")];
        assert_eq!(answered(&groups, &both, &say("Sauce", "Béarnaise")), [say("Cuisson", "Bleu")]);
        assert_eq!(answered(&groups, &both, &say("Cuisson", "Bleu")), both);
        assert_eq!(answered(&groups, &both, &say("Cuisson", "Saignant"))[0], say("Cuisson", "Saignant"));
    }
}
