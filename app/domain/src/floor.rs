//! The plan: where a table stands, how long is too long, and what a drawing of the house must look like.
//!
//! Server and phone share the rule of states: a phone without a network goes on by its own clock, and a table that was merely occupied
//! when it last heard of it turns to *attend* at the same minute as on the server.

use crate::api::{FloorPlan, TablePlan, TableView};
use crate::order::{FieldError, TableStatus};
use std::collections::HashSet;
use time::{Duration, OffsetDateTime};

/// A dish that is awaited for longer than this makes its table one that waits. A quarter of an hour is what guests accept between
/// ordering and eating before they look around for the waiter.
pub const WAITS_TOO_LONG: Duration = Duration::minutes(15);

/// Most rooms of one house.
pub const MAX_ROOMS: usize = 20;
/// Most tables of one house.
pub const MAX_TABLES: usize = 300;
/// Longest name of a room or a table, in characters.
pub const MAX_NAME: usize = 20;
/// Most seats at one table.
pub const MAX_SEATS: u16 = 99;
/// Smallest width and height, in hundredths of the room.
pub const MIN_SIZE: u16 = 10;
/// Largest width and height, in hundredths of the room.
pub const MAX_SIZE: u16 = 60;
/// A room is so wide and so high, in the unit of the plan.
pub const ROOM: u16 = 100;

/// The guests of a table, as far as the plan needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// When the order was opened.
    pub opened_at: OffsetDateTime,
    /// Since when something waits at the pass.
    pub ready_since: Option<OffsetDateTime>,
    /// Since when the bill is asked for, or part of it paid.
    pub bill_since: Option<OffsetDateTime>,
    /// Since when the oldest dish is awaited from the kitchen.
    pub pending_since: Option<OffsetDateTime>,
    /// When what the kitchen system does not want was sent.
    pub refused_since: Option<OffsetDateTime>,
}

/// Where a table stands, and since when. What needs somebody's feet comes first: a dish at the pass, then guests who want to leave, then
/// guests who wait for too long, or for what nobody cooks.
#[must_use]
pub fn standing(stay: Option<&Stay>, now: OffsetDateTime) -> (TableStatus, Option<OffsetDateTime>) {
    let Some(stay) = stay else { return (TableStatus::Free, None) };
    let (status, since) = match *stay {
        Stay { ready_since: Some(since), .. } => (TableStatus::Ready, since),
        Stay { bill_since: Some(since), .. } => (TableStatus::Bill, since),
        Stay { refused_since: Some(since), .. } => (TableStatus::Waiting, since),
        Stay { pending_since: Some(since), .. } if waits_too_long(since, now) => (TableStatus::Waiting, since),
        Stay { opened_at, .. } => (TableStatus::Occupied, opened_at),
    };
    (status, Some(since))
}

fn waits_too_long(since: OffsetDateTime, now: OffsetDateTime) -> bool {
    now - since > WAITS_TOO_LONG
}

impl TableView {
    /// Where the table stands by a clock that went on since the server said so.
    #[must_use]
    pub fn standing_at(&self, now: OffsetDateTime) -> (TableStatus, Option<OffsetDateTime>) {
        match (self.status, self.pending_since) {
            (TableStatus::Occupied, Some(since)) if waits_too_long(since, now) => (TableStatus::Waiting, Some(since)),
            _ => (self.status, self.since),
        }
    }
}

/// How long something has lasted, for the eye. Each has a colour and a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Age {
    /// As it should be.
    Fresh,
    /// Somebody should look.
    Long,
    /// Somebody should run.
    TooLong,
}

/// How the age of a state is to be judged: a dish cools within minutes, guests may stay for hours.
#[must_use]
pub const fn age(status: TableStatus, minutes: i64) -> Age {
    let (long, too_long) = match status {
        TableStatus::Free => return Age::Fresh,
        TableStatus::Ready => (2, 5),
        TableStatus::Bill => (5, 10),
        TableStatus::Waiting => (20, 30),
        TableStatus::Occupied => (120, 180),
    };
    if minutes >= too_long {
        Age::TooLong
    } else if minutes >= long {
        Age::Long
    } else {
        Age::Fresh
    }
}

/// The table that a person means by what was typed: its name, or the only one whose name holds that number (`12` for *T12*).
#[must_use]
pub fn find_table<'a>(tables: &'a [TableView], typed: &str) -> Option<&'a TableView> {
    let typed = typed.trim();
    if typed.is_empty() {
        return None;
    }
    if let Some(named) = tables.iter().find(|table| table.name.chars().map(small).eq(typed.chars().map(small))) {
        return Some(named);
    }
    let number: u64 = typed.parse().ok()?;
    let digits = |table: &&TableView| table.name.chars().filter(char::is_ascii_digit).collect::<String>().parse() == Ok(number);
    let mut numbered = tables.iter().filter(digits);
    numbered.next().filter(|_| numbered.next().is_none())
}

/// A letter as a small one, as far as French goes: the tables of all scripts are longer than the rest of this, and travel to every phone.
const fn small(letter: char) -> char {
    match letter {
        'À'..='Ö' | 'Ø'..='Þ' => match char::from_u32(letter as u32 + 32) {
            Some(small) => small,
            None => letter,
        },
        'Œ' => 'œ',
        'Ÿ' => 'ÿ',
        _ => letter.to_ascii_lowercase(),
    }
}

impl FloorPlan {
    /// The same without spaces around names, as it is checked and stored.
    #[must_use]
    pub fn tidied(mut self) -> Self {
        for room in &mut self.rooms {
            room.name = room.name.trim().to_owned();
            for table in &mut room.tables {
                table.name = table.name.trim().to_owned();
            }
        }
        self
    }

    /// Checks a drawing before it replaces the plan.
    ///
    /// # Errors
    /// Every fault at once, each with its field.
    pub fn check(&self) -> Result<(), Vec<FieldError>> {
        let mut errors = Vec::new();
        if self.rooms.is_empty() {
            errors.push(FieldError::new("rooms", "no_room"));
        }
        if self.rooms.len() > MAX_ROOMS {
            errors.push(FieldError::new("rooms", "too_many_rooms"));
        }
        if self.rooms.iter().map(|room| room.tables.len()).sum::<usize>() > MAX_TABLES {
            errors.push(FieldError::new("rooms", "too_many_tables"));
        }
        let (mut room_names, mut room_ids) = (HashSet::new(), HashSet::new());
        let (mut table_names, mut table_ids) = (HashSet::new(), HashSet::new());
        for (i, room) in self.rooms.iter().enumerate() {
            let at = format!("rooms[{i}]");
            check_name(&room.name, &format!("{at}.name"), "room_name", &mut room_names, &mut errors);
            if room.id.is_some_and(|id| !room_ids.insert(id)) {
                errors.push(FieldError::new(format!("{at}.id"), "listed_twice"));
            }
            for (j, table) in room.tables.iter().enumerate() {
                let at = format!("{at}.tables[{j}]");
                check_name(&table.name, &format!("{at}.name"), "table_name", &mut table_names, &mut errors);
                if table.id.is_some_and(|id| !table_ids.insert(id)) {
                    errors.push(FieldError::new(format!("{at}.id"), "listed_twice"));
                }
                table.check(&at, &mut errors);
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

fn check_name(name: &str, at: &str, what: &str, taken: &mut HashSet<String>, errors: &mut Vec<FieldError>) {
    let length = name.chars().count();
    if length == 0 || length > MAX_NAME || name.chars().any(char::is_control) || name.trim() != name {
        errors.push(FieldError::new(at, what));
    } else if !taken.insert(name.to_lowercase()) {
        errors.push(FieldError::new(at, &format!("{what}_taken")));
    }
}

impl TablePlan {
    fn check(&self, at: &str, errors: &mut Vec<FieldError>) {
        if !(1..=MAX_SEATS).contains(&self.seats) {
            errors.push(FieldError::new(format!("{at}.seats"), "seats_out_of_range"));
        }
        for (field, size, middle) in [("width", self.width, self.x), ("height", self.height, self.y)] {
            if !(MIN_SIZE..=MAX_SIZE).contains(&size) {
                errors.push(FieldError::new(format!("{at}.{field}"), "size_out_of_range"));
            } else if middle > ROOM || 2 * middle < size || 2 * middle + size > 2 * ROOM {
                errors.push(FieldError::new(format!("{at}.{}", if field == "width" { "x" } else { "y" }), "outside_the_room"));
            }
        }
        if self.rotation > 359 {
            errors.push(FieldError::new(format!("{at}.rotation"), "rotation_out_of_range"));
        }
    }

    /// The same table with its size within bounds and its walls around it: what every movement of the editor ends with.
    #[must_use]
    pub fn within_room(mut self) -> Self {
        let keep = |middle: u16, size: u16| middle.clamp(size.div_ceil(2), ROOM - size.div_ceil(2));
        self.width = self.width.clamp(MIN_SIZE, MAX_SIZE);
        self.height = self.height.clamp(MIN_SIZE, MAX_SIZE);
        self.x = keep(self.x, self.width);
        self.y = keep(self.y, self.height);
        self.rotation %= 360;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TableId;
    use crate::api::RoomPlan;
    use proptest::prelude::*;
    use time::macros::datetime;

    const NOON: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

    fn after(minutes: i64) -> OffsetDateTime {
        NOON + Duration::minutes(minutes)
    }

    fn stay() -> Stay {
        Stay { opened_at: NOON, ready_since: None, bill_since: None, pending_since: None, refused_since: None }
    }

    fn view(name: &str) -> TableView {
        TableView {
            id: TableId::from_row(1),
            name: name.to_owned(),
            room: "Salle".to_owned(),
            seats: 4,
            status: TableStatus::Occupied,
            order_id: None,
            server_user_id: None,
            server_name: None,
            since: Some(NOON),
            pending_since: None,
            covers: None,
            remaining: None,
            as_of: NOON,
            x: 50,
            y: 50,
            width: 20,
            height: 20,
            rotation: 0,
            round: false,
        }
    }

    fn table(name: &str) -> TablePlan {
        TablePlan { id: None, name: name.to_owned(), seats: 4, x: 50, y: 50, width: 20, height: 20, rotation: 0, round: false }
    }

    fn house(tables: Vec<TablePlan>) -> FloorPlan {
        FloorPlan { version: 1, rooms: vec![RoomPlan { id: None, name: "Salle".to_owned(), tables }] }
    }

    fn faults(plan: &FloorPlan) -> Vec<(String, String)> {
        plan.check().err().into_iter().flatten().map(|error| (error.field, error.code)).collect()
    }

    #[test]
    fn a_table_that_has_just_ordered_is_occupied_and_waits_after_a_quarter_of_an_hour() {
        assert_eq!(standing(None, NOON), (TableStatus::Free, None));
        assert_eq!(standing(Some(&stay()), after(500)), (TableStatus::Occupied, Some(NOON)));
        let ordered = Stay { pending_since: Some(after(2)), ..stay() };
        assert_eq!(standing(Some(&ordered), after(17)).0, TableStatus::Occupied);
        assert_eq!(standing(Some(&ordered), after(18)), (TableStatus::Waiting, Some(after(2))));
    }

    #[test]
    fn a_table_whose_dish_nobody_cooks_waits_from_the_first_minute() {
        let refused = Stay { pending_since: Some(after(2)), refused_since: Some(after(2)), ..stay() };
        assert_eq!(standing(Some(&refused), after(2)), (TableStatus::Waiting, Some(after(2))));
        let others_are_ready = Stay { ready_since: Some(after(9)), ..refused };
        assert_eq!(standing(Some(&others_are_ready), after(9)).0, TableStatus::Ready);
    }

    #[test]
    fn the_pass_comes_before_the_bill_and_the_bill_before_the_wait() {
        let all = Stay { ready_since: Some(after(3)), bill_since: Some(after(2)), pending_since: Some(after(1)), ..stay() };
        assert_eq!(standing(Some(&all), after(60)), (TableStatus::Ready, Some(after(3))));
        let none_ready = Stay { ready_since: None, ..all };
        assert_eq!(standing(Some(&none_ready), after(60)), (TableStatus::Bill, Some(after(2))));
    }

    #[test]
    fn a_cold_dish_is_sooner_too_long_than_a_long_evening() {
        assert_eq!(age(TableStatus::Ready, 6), Age::TooLong);
        assert_eq!(age(TableStatus::Occupied, 60), Age::Fresh);
        assert_eq!(age(TableStatus::Free, 10_000), Age::Fresh);
    }

    #[test]
    fn a_number_finds_its_table_and_a_doubtful_one_none() {
        let tables = ["1", "12", "T7", "Bar 3", "Terrasse 3"].map(view);
        let found = |typed| find_table(&tables, typed).map(|table| table.name.as_str());
        assert_eq!(found("12"), Some("12"));
        assert_eq!(found(" 7 "), Some("T7"));
        assert_eq!(found("bar 3"), Some("Bar 3"));
        for nobody in ["3", "2", "", "  ", "99999999999999999999999"] {
            assert_eq!(found(nobody), None, "{nobody:?}");
        }
        let tables = ["Été", "ŒUVRE"].map(view);
        let found = |typed| find_table(&tables, typed).map(|table| table.name.as_str());
        assert_eq!((found("ÉTÉ"), found("œuvre"), found("ete")), (Some("Été"), Some("ŒUVRE"), None));
    }

    #[test]
    fn an_event_that_comes_late_changes_nothing() {
        let mut known = view("5");
        let told = TableView { as_of: after(2), covers: Some(3), ..view("5") };
        known.take(TableStatus::Ready, None, &told.now());
        assert_eq!((known.status, known.covers), (TableStatus::Ready, Some(3)));
        known.take(TableStatus::Free, None, &TableView { as_of: after(1), ..view("5") }.now());
        assert_eq!((known.status, known.as_of), (TableStatus::Ready, after(2)));
    }

    #[test]
    fn every_fault_of_a_drawing_is_named() {
        assert_eq!(faults(&house(vec![table("1"), table("2")])), []);
        let wrong = house(vec![
            TablePlan { seats: 0, ..table("1") },
            TablePlan { x: 5, ..table("1") },
            TablePlan { width: 61, ..table("") },
            TablePlan { rotation: 360, y: 99, ..table(&"x".repeat(21)) },
            TablePlan { id: Some(TableId::from_row(1)), ..table("5") },
            TablePlan { id: Some(TableId::from_row(1)), ..table("6") },
        ]);
        let named: Vec<_> = [
            ("[0].seats", "seats_out_of_range"),
            ("[1].name", "table_name_taken"),
            ("[1].x", "outside_the_room"),
            ("[2].name", "table_name"),
            ("[2].width", "size_out_of_range"),
            ("[3].name", "table_name"),
            ("[3].y", "outside_the_room"),
            ("[3].rotation", "rotation_out_of_range"),
            ("[5].id", "listed_twice"),
        ]
        .map(|(field, code)| (format!("rooms[0].tables{field}"), code.to_owned()))
        .into();
        assert_eq!(faults(&wrong), named);
        assert_eq!(faults(&FloorPlan { version: 1, rooms: vec![] }), [("rooms".to_owned(), "no_room".to_owned())]);
        let many = house((0..301).map(|i| table(&i.to_string())).collect());
        assert_eq!(faults(&many), [("rooms".to_owned(), "too_many_tables".to_owned())]);
    }

    proptest! {
        /// A phone that heard nothing since goes on exactly as the server would.
        #[test]
        fn phone_and_server_agree_at_every_minute(
            ready in prop::option::of(0i64..90), bill in prop::option::of(0i64..90), pending in prop::option::of(0i64..90),
            refused in prop::option::of(0i64..90), told_at in 0i64..120, later in 0i64..120,
        ) {
            let (ready_since, bill_since, pending_since, refused_since) =
                (ready.map(after), bill.map(after), pending.map(after), refused.map(after));
            let stay = Stay { opened_at: NOON, ready_since, bill_since, pending_since, refused_since };
            let (status, since) = standing(Some(&stay), after(told_at));
            let told = TableView { status, since, pending_since: stay.pending_since, ..view("5") };
            prop_assert_eq!(told.standing_at(after(told_at + later)), standing(Some(&stay), after(told_at + later)));
        }

        /// Whatever a finger does, the drawing can be saved.
        #[test]
        fn a_table_kept_within_the_room_passes_the_check(
            x in any::<u16>(), y in any::<u16>(), width in any::<u16>(), height in any::<u16>(), rotation in any::<u16>(),
        ) {
            let kept = TablePlan { x, y, width, height, rotation, ..table("1") }.within_room();
            prop_assert_eq!(faults(&house(vec![kept.clone()])), []);
            prop_assert_eq!(kept.clone().within_room(), kept, "nothing moves a second time");
        }

        /// What the check lets through never meets a constraint of the database, however large the numbers.
        #[test]
        fn a_check_of_any_numbers_never_overflows(x in any::<u16>(), width in any::<u16>(), seats in any::<u16>()) {
            let plan = house(vec![TablePlan { x, width, seats, ..table("1") }]);
            let inside = (MIN_SIZE..=MAX_SIZE).contains(&width) && u32::from(x) * 2 >= u32::from(width)
                && u32::from(x) * 2 + u32::from(width) <= 200 && (1..=99).contains(&seats);
            prop_assert_eq!(plan.check().is_ok(), inside);
        }
    }
}
