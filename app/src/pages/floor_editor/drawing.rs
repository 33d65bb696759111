//! The house on the drawing board: rooms and tables, each with a key that it keeps from the first stroke on, saved or not. Pure.

use domain::api::{FloorPlan, RoomPlan, TablePlan};
use domain::floor::{MAX_ROOMS, MAX_TABLES, ROOM};
use domain::{RoomId, TableId};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Tables stand on every so many hundredths of the room while the grid holds them.
pub const GRID: u16 = 2;
/// A new table: four seats, large enough for its words on a phone.
const NEW_TABLE: TablePlan =
    TablePlan { id: None, name: String::new(), seats: 4, x: 50, y: 50, width: 22, height: 18, rotation: 0, round: false };

/// The whole house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawing {
    /// In the order of the house.
    pub rooms: Vec<DrawnRoom>,
    next_key: u32,
}

/// One room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawnRoom {
    /// Its key on the board.
    pub key: u32,
    /// What it is called.
    pub name: String,
    /// What stands there.
    pub tables: Vec<DrawnTable>,
    id: Option<RoomId>,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawnTable {
    /// Its key on the board.
    pub key: u32,
    /// The table.
    pub plan: TablePlan,
}

/// What is wrong with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameFault {
    /// There is none.
    Missing,
    /// Another one has it.
    Taken,
}

impl Drawing {
    /// The house as it was saved.
    pub fn of(plan: &FloorPlan) -> Self {
        let mut drawing = Self { rooms: Vec::new(), next_key: 0 };
        for room in &plan.rooms {
            let key = drawing.new_key();
            let tables = room.tables.iter().map(|plan| DrawnTable { key: drawing.new_key(), plan: plan.clone() }).collect();
            drawing.rooms.push(DrawnRoom { key, name: room.name.clone(), tables, id: room.id });
        }
        drawing
    }

    /// The house as it is saved: as the change of that version, and in the order in which the server will tell it.
    pub fn to_plan(&self, version: i64) -> FloorPlan {
        let room = |room: &DrawnRoom| {
            let mut tables: Vec<TablePlan> = room.tables.iter().map(|table| table.plan.clone()).collect();
            tables.sort_by_key(|table| (table.id.is_none(), table.id));
            RoomPlan { id: room.id, name: room.name.clone(), tables }
        };
        FloorPlan { version, rooms: self.rooms.iter().map(room).collect() }.tidied()
    }

    fn new_key(&mut self) -> u32 {
        self.next_key += 1;
        self.next_key
    }

    /// A room.
    pub fn room(&self, key: u32) -> Option<&DrawnRoom> {
        self.rooms.iter().find(|room| room.key == key)
    }

    /// The room in which a table stands.
    pub fn room_of(&self, table: u32) -> Option<&DrawnRoom> {
        self.rooms.iter().find(|room| room.tables.iter().any(|other| other.key == table))
    }

    fn tables(&self) -> impl Iterator<Item = &DrawnTable> {
        self.rooms.iter().flat_map(|room| &room.tables)
    }

    /// A table.
    pub fn table(&self, key: u32) -> Option<&TablePlan> {
        self.tables().find(|table| table.key == key).map(|table| &table.plan)
    }

    /// Changes a table; it stays inside its walls.
    pub fn change_table(&mut self, key: u32, change: impl FnOnce(&mut TablePlan)) {
        if let Some(table) = self.rooms.iter_mut().flat_map(|room| &mut room.tables).find(|table| table.key == key) {
            change(&mut table.plan);
            table.plan = table.plan.clone().within_room();
        }
    }

    /// Puts a new table into a room, under the lowest number that no table has, where there is space. None when the house is full.
    pub fn add_table(&mut self, room: u32) -> Option<u32> {
        if self.tables().count() >= MAX_TABLES {
            return None;
        }
        let names: Vec<&str> = self.tables().map(|table| table.plan.name.trim()).collect();
        let name = (1..=MAX_TABLES + 1).map(|number| number.to_string()).find(|name| !names.contains(&name.as_str()))?;
        let (x, y) = self.room(room)?.free_place();
        let key = self.new_key();
        let plan = TablePlan { name, x, y, ..NEW_TABLE };
        self.rooms.iter_mut().find(|other| other.key == room)?.tables.push(DrawnTable { key, plan });
        Some(key)
    }

    /// Takes a table off the plan.
    pub fn remove_table(&mut self, key: u32) {
        for room in &mut self.rooms {
            room.tables.retain(|table| table.key != key);
        }
    }

    /// Carries a table to another room.
    pub fn carry(&mut self, table: u32, to: u32) {
        if self.room(to).is_none() {
            return;
        }
        let Some(from) = self.rooms.iter_mut().find(|room| room.key != to && room.tables.iter().any(|other| other.key == table)) else {
            return;
        };
        let Some(at) = from.tables.iter().position(|other| other.key == table) else { return };
        let carried = from.tables.remove(at);
        self.rooms.iter_mut().filter(|room| room.key == to).for_each(|room| room.tables.push(carried.clone()));
    }

    /// Adds a room; `name` makes its name from a number. None when the house is full.
    pub fn add_room(&mut self, name: impl Fn(usize) -> String) -> Option<u32> {
        if self.rooms.len() >= MAX_ROOMS {
            return None;
        }
        let is_taken = |name: &str| self.rooms.iter().any(|room| room.name.trim().to_lowercase() == name.to_lowercase());
        let name = (self.rooms.len() + 1..).map(name).find(|name| !is_taken(name))?;
        let key = self.new_key();
        self.rooms.push(DrawnRoom { key, name, tables: Vec::new(), id: None });
        Some(key)
    }

    /// Renames a room.
    pub fn rename_room(&mut self, key: u32, name: String) {
        if let Some(room) = self.rooms.iter_mut().find(|room| room.key == key) {
            room.name = name;
        }
    }

    /// Whether a room can go: nothing stands there, and another one is left.
    pub fn can_remove_room(&self, key: u32) -> bool {
        self.rooms.len() > 1 && self.room(key).is_some_and(|room| room.tables.is_empty())
    }

    /// Takes an empty room off the plan.
    pub fn remove_room(&mut self, key: u32) {
        if self.can_remove_room(key) {
            self.rooms.retain(|room| room.key != key);
        }
    }

    /// What is wrong with the name of a table.
    pub fn table_name_fault(&self, key: u32) -> Option<NameFault> {
        let name = &self.table(key)?.name;
        name_fault(name, self.tables().filter(|table| table.key != key).map(|table| table.plan.name.as_str()))
    }

    /// What is wrong with the name of a room.
    pub fn room_name_fault(&self, key: u32) -> Option<NameFault> {
        let name = &self.room(key)?.name;
        name_fault(name, self.rooms.iter().filter(|room| room.key != key).map(|room| room.name.as_str()))
    }

    /// The numbers that the server gave to what was new on this drawing, by key.
    pub fn numbers_in(&self, saved: &FloorPlan) -> Numbers {
        let rooms: HashMap<&str, RoomId> = saved.rooms.iter().filter_map(|room| Some((room.name.as_str(), room.id?))).collect();
        let tables: HashMap<&str, TableId> =
            saved.rooms.iter().flat_map(|room| &room.tables).filter_map(|table| Some((table.name.as_str(), table.id?))).collect();
        Numbers {
            rooms: self.rooms.iter().filter_map(|room| Some((room.key, *rooms.get(room.name.trim())?))).collect(),
            tables: self.tables().filter_map(|table| Some((table.key, *tables.get(table.plan.name.trim())?))).collect(),
        }
    }

    /// Takes over the numbers of what had none.
    pub fn adopt(&mut self, numbers: &Numbers) {
        for room in &mut self.rooms {
            room.id = room.id.or(numbers.rooms.get(&room.key).copied());
            for table in &mut room.tables {
                table.plan.id = table.plan.id.or(numbers.tables.get(&table.key).copied());
            }
        }
    }
}

/// Numbers by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    rooms: HashMap<u32, RoomId>,
    tables: HashMap<u32, TableId>,
}

fn name_fault<'a>(name: &str, mut others: impl Iterator<Item = &'a str>) -> Option<NameFault> {
    let name = name.trim().to_lowercase();
    if name.is_empty() {
        return Some(NameFault::Missing);
    }
    others.any(|other| other.trim().to_lowercase() == name).then_some(NameFault::Taken)
}

impl DrawnRoom {
    /// Where a new table touches no other; the middle when the room is full.
    fn free_place(&self) -> (u16, u16) {
        let touches = |x: u16, y: u16| {
            self.tables.iter().any(|table| {
                let (width, height) = (table.plan.width + NEW_TABLE.width, table.plan.height + NEW_TABLE.height);
                2 * table.plan.x.abs_diff(x) < width && 2 * table.plan.y.abs_diff(y) < height
            })
        };
        let steps = |size: u16| (size / 2 + 1..ROOM - size / 2).step_by(usize::from(GRID));
        let mut places = steps(NEW_TABLE.height).flat_map(|y| steps(NEW_TABLE.width).map(move |x| (x, y)));
        places.find(|(x, y)| !touches(*x, *y)).unwrap_or((NEW_TABLE.x, NEW_TABLE.y))
    }
}

/// A table after a finger carried it so many pixels over a surface of that size.
pub fn moved(from: &TablePlan, by: (i32, i32), surface: (i32, i32), grid: u16) -> TablePlan {
    let along = |start: u16, by: i32, surface: i32| match hundredths(by, surface) {
        0 => start,
        by => snap(i32::from(start) + by, grid),
    };
    TablePlan { x: along(from.x, by.0, surface.0), y: along(from.y, by.1, surface.1), ..from.clone() }.within_room()
}

/// A table after a finger pulled its lower right corner. It grows around its middle, along its own sides however it is turned.
pub fn resized(from: &TablePlan, by: (i32, i32), surface: (i32, i32), grid: u16) -> TablePlan {
    let (cos, sin) = (cos(from.rotation), cos(from.rotation + 270));
    let along = (by.0 * cos + by.1 * sin) / 1000;
    let across = (by.1 * cos - by.0 * sin) / 1000;
    let grown = |start: u16, by: i32, surface: i32| match 2 * hundredths(by, surface) {
        0 => start,
        by => snap(i32::from(start) + by, grid),
    };
    TablePlan { width: grown(from.width, along, surface.0), height: grown(from.height, across, surface.1), ..from.clone() }.within_room()
}

/// A table one step further in a direction.
pub fn nudged(from: &TablePlan, by: (i32, i32), grid: u16) -> TablePlan {
    let step = |start: u16, by: i32| u16::try_from(i32::from(start) + by * i32::from(grid)).unwrap_or(0);
    TablePlan { x: step(from.x, by.0), y: step(from.y, by.1), ..from.clone() }.within_room()
}

/// Pixels as hundredths of a surface, to the nearest.
fn hundredths(pixels: i32, surface: i32) -> i32 {
    let surface = surface.max(1);
    (pixels * 200 + surface * pixels.signum()) / (surface * 2)
}

/// The nearest line of the grid.
fn snap(value: i32, grid: u16) -> u16 {
    let grid = i32::from(grid.max(1));
    u16::try_from((value + grid / 2).div_euclid(grid) * grid).unwrap_or(0)
}

/// A thousand times the cosine, to the nearest fifteen degrees.
fn cos(degrees: u16) -> i32 {
    const QUARTER: [i32; 7] = [1000, 966, 866, 707, 500, 259, 0];
    let at = |step: u16| QUARTER.get(usize::from(step)).copied().unwrap_or(0);
    match (degrees % 360 + 7) / 15 % 24 {
        step @ 0..=6 => at(step),
        step @ 7..=12 => -at(12 - step),
        step @ 13..=18 => -at(step - 12),
        step => at(24 - step),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(id: i64, name: &str, x: u16, y: u16) -> TablePlan {
        TablePlan { id: TableId::new(id).ok(), name: name.to_owned(), x, y, ..NEW_TABLE }
    }

    fn house() -> FloorPlan {
        let room = |id, name: &str, tables| RoomPlan { id: RoomId::new(id).ok(), name: name.to_owned(), tables };
        let tables = vec![table(1, "1", 12, 14), table(2, "2", 37, 14)];
        FloorPlan { version: 7, rooms: vec![room(1, "Salle", tables), room(2, "Bar", vec![])] }
    }

    #[test]
    fn what_was_read_is_what_is_saved() {
        assert_eq!(Drawing::of(&house()).to_plan(7), house());
    }

    #[test]
    fn a_new_table_has_its_own_number_and_its_own_place() {
        let mut drawing = Drawing::of(&house());
        let room = drawing.rooms[0].key;
        while drawing.rooms[0].tables.len() < 10 {
            drawing.add_table(room).unwrap();
        }
        assert_eq!(drawing.to_plan(7).check(), Ok(()));
        let tables = &drawing.rooms[0].tables;
        for (i, one) in tables.iter().enumerate() {
            for other in &tables[..i] {
                let apart = one.plan.x.abs_diff(other.plan.x) >= 22 || one.plan.y.abs_diff(other.plan.y) >= 18;
                assert!(apart, "{} stands on {}", one.plan.name, other.plan.name);
            }
        }
        while drawing.add_table(room).is_some() {}
        assert_eq!((drawing.rooms[0].tables.len(), drawing.to_plan(7).check()), (MAX_TABLES, Ok(())));
    }

    #[test]
    fn a_room_goes_when_it_is_empty_and_not_the_last() {
        let mut drawing = Drawing::of(&house());
        let (salle, bar) = (drawing.rooms[0].key, drawing.rooms[1].key);
        drawing.remove_room(salle);
        assert_eq!(drawing.rooms.len(), 2);
        for key in drawing.rooms[0].tables.iter().map(|table| table.key).collect::<Vec<_>>() {
            drawing.carry(key, bar);
        }
        drawing.remove_room(salle);
        assert_eq!((drawing.rooms.len(), drawing.rooms[0].tables.len()), (1, 2));
        drawing.carry(drawing.rooms[0].tables[0].key, 999);
        drawing.remove_table(drawing.rooms[0].tables[0].key);
        drawing.remove_table(drawing.rooms[0].tables[0].key);
        assert!(!drawing.can_remove_room(bar), "the last one stays");
    }

    #[test]
    fn numbers_given_at_saving_are_in_every_state() {
        let mut drawing = Drawing::of(&house());
        let bar = drawing.rooms[1].key;
        let key = drawing.add_table(bar).unwrap();
        let before = drawing.clone();
        drawing.change_table(key, |table| table.name = " B1 ".to_owned());
        let mut saved = drawing.to_plan(8);
        saved.rooms[1].tables[0].id = TableId::new(21).ok();
        let numbers = drawing.numbers_in(&saved);
        let mut older = before;
        older.adopt(&numbers);
        assert_eq!(older.table(key).unwrap().id, TableId::new(21).ok());
        assert_eq!(older.table(key).unwrap().name, "3");
        drawing.adopt(&numbers);
        assert_eq!(drawing.to_plan(8), saved);
    }

    #[test]
    fn names_are_checked_while_they_are_typed() {
        let mut drawing = Drawing::of(&house());
        let key = drawing.rooms[0].tables[0].key;
        assert_eq!(drawing.table_name_fault(key), None);
        drawing.change_table(key, |table| table.name = " 2".to_owned());
        assert_eq!(drawing.table_name_fault(key), Some(NameFault::Taken));
        drawing.change_table(key, |table| table.name = "  ".to_owned());
        assert_eq!(drawing.table_name_fault(key), Some(NameFault::Missing));
        drawing.rename_room(drawing.rooms[1].key, "SALLE".to_owned());
        assert_eq!(drawing.room_name_fault(drawing.rooms[0].key), Some(NameFault::Taken));
    }

    #[test]
    fn a_finger_moves_a_table_to_the_grid_and_never_through_a_wall() {
        let from = table(1, "1", 37, 14);
        let to = |by| moved(&from, by, (400, 600), GRID);
        assert_eq!((to((1, 2)).x, to((1, 2)).y), (37, 14), "a tap moves nothing");
        assert_eq!((to((41, 0)).x, to((41, 0)).y), (48, 14));
        assert_eq!((to((-4000, 4000)).x, to((-4000, 4000)).y), (11, 91));
        assert_eq!(moved(&from, (41, 0), (400, 600), 1).x, 47);
    }

    #[test]
    fn a_corner_is_pulled_along_the_sides_of_the_table() {
        let from = table(1, "1", 50, 50);
        assert_eq!((resized(&from, (20, 0), (400, 400), GRID).width, resized(&from, (20, 0), (400, 400), GRID).height), (32, 18));
        let turned = TablePlan { rotation: 90, ..from.clone() };
        let pulled = resized(&turned, (0, 20), (400, 400), GRID);
        assert_eq!((pulled.width, pulled.height), (32, 18), "downwards is along a table that is turned by a quarter");
        let crushed = resized(&from, (-4000, -4000), (400, 400), GRID);
        assert_eq!((crushed.width, crushed.height), (10, 10));
    }

    #[test]
    fn arrows_move_by_one_line_of_the_grid() {
        let from = table(1, "1", 50, 50);
        assert_eq!((nudged(&from, (-1, 0), GRID).x, nudged(&from, (0, 1), GRID).y), (48, 52));
        assert_eq!(nudged(&TablePlan { x: 11, ..from }, (-1, 0), GRID).x, 11);
    }
}
