//! Editing the plan, as the page's parts share it: the drawing and its history, what is chosen, what a finger holds, and saving.
//!
//! Every step is also kept on the device, so that neither a closed tab nor a refused save loses anything.

use super::drawing::{Drawing, GRID, moved, nudged, resized};
use super::history::History;
use crate::browser::grip::Grip;
use crate::browser::live::{Live, use_live};
use crate::browser::store;
use crate::calls;
use crate::components::notice::{Tone, explain};
use crate::components::toast::{Toaster, use_toaster};
use crate::error::CallError;
use crate::i18n::plan::t;
use crate::session::{Session, use_session};
use domain::api::{FloorPlan, TablePlan};
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::{Deserialize, Serialize};

/// Under which the device keeps what is not saved.
const KEPT: &str = "floor-editor";

/// What one step of the history is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A finger holds this table.
    Drag(u32),
    /// The arrows move, or resize, this table.
    Arrows(u32),
    /// The name of this table is typed.
    Name(u32),
    /// The name of this room is typed.
    RoomName(u32),
    /// A number of this table is stepped.
    Number(u32),
}

/// What a finger does with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Carries it.
    Move,
    /// Pulls its corner.
    Resize,
}

#[derive(Debug, Clone)]
struct Held {
    hold: Hold,
    key: u32,
    from: TablePlan,
    at: (i32, i32),
}

/// A drawing that is not saved, and the version that it changes.
#[derive(Serialize, Deserialize)]
struct Kept {
    version: i64,
    drawing: Drawing,
}

/// The editor.
#[derive(Clone, Copy)]
pub struct Editing {
    /// What is drawn now; `None` until the plan is there.
    pub drawing: Memo<Option<Drawing>>,
    /// Whether something is drawn that is not saved.
    pub is_dirty: Memo<bool>,
    /// The room on the board.
    pub room: RwSignal<Option<u32>>,
    /// The table that is chosen.
    pub chosen: RwSignal<Option<u32>>,
    /// Whether the grid holds the tables.
    pub snaps: RwSignal<bool>,
    /// Whether something is being read or saved.
    pub busy: RwSignal<bool>,
    /// Why the plan could not be read.
    pub unread: RwSignal<Option<CallError>>,
    /// Why it was not saved.
    pub problem: RwSignal<Option<String>>,
    /// Somebody else saved meanwhile: ours can no longer be saved.
    pub overtaken: RwSignal<bool>,
    /// What is drawn comes from an earlier visit.
    pub resumed: RwSignal<bool>,
    history: RwSignal<Option<History<Drawing, Step>>>,
    saved: RwSignal<Option<FloorPlan>>,
    /// The version that the drawing changes.
    version: StoredValue<i64>,
    held: StoredValue<Option<Held>>,
    parts: StoredValue<(Session, Live, Toaster)>,
}

impl Editing {
    /// An empty board.
    pub fn begin() -> Self {
        let history = RwSignal::new(None::<History<Drawing, Step>>);
        let saved = RwSignal::new(None::<FloorPlan>);
        let drawing = Memo::new(move |_| history.with(|history| history.as_ref().map(|history| history.present().clone())));
        let is_dirty = Memo::new(move |_| {
            let drawn = drawing.with(|drawing| drawing.as_ref().map(|drawing| drawing.to_plan(0).rooms));
            saved.with(|saved| drawn.is_some() && drawn.as_ref() != saved.as_ref().map(|saved| &saved.rooms))
        });
        Self {
            drawing,
            is_dirty,
            room: RwSignal::new(None),
            chosen: RwSignal::new(None),
            snaps: RwSignal::new(true),
            busy: RwSignal::new(false),
            unread: RwSignal::new(None),
            problem: RwSignal::new(None),
            overtaken: RwSignal::new(false),
            resumed: RwSignal::new(false),
            history,
            saved,
            version: StoredValue::new(0),
            held: StoredValue::new(None),
            parts: StoredValue::new((use_session(), use_live(), use_toaster())),
        }
    }

    /// Reads the plan. With `resume`, goes on with what this device kept.
    pub fn load(self, resume: bool) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        let (session, live, _) = self.parts.get_value();
        spawn_local(async move {
            let answer = calls::floor_plan().await;
            live.heard_of_call(&answer);
            match answer {
                Ok(plan) => {
                    let kept = if resume { store::get_json::<Kept>(KEPT).await } else { None };
                    self.lay_out(plan, kept);
                }
                Err(error) => {
                    session.heed(&error);
                    self.unread.try_set(Some(error));
                }
            }
            self.busy.try_set(false);
        });
    }

    fn lay_out(self, plan: FloorPlan, kept: Option<Kept>) {
        let fresh = Drawing::of(&plan);
        let kept = kept.filter(|kept| kept.drawing.to_plan(0).rooms != plan.rooms);
        let overtaken = kept.as_ref().is_some_and(|kept| kept.version != plan.version);
        self.overtaken.try_set(overtaken);
        self.problem.try_set(overtaken.then(|| t().overtaken.to_owned()));
        self.resumed.try_set(kept.is_some());
        self.version.try_set_value(kept.as_ref().map_or(plan.version, |kept| kept.version));
        if kept.is_none() {
            spawn_local(store::forget(KEPT));
        }
        self.saved.try_set(Some(plan));
        self.unread.try_set(None);
        self.chosen.try_set(None);
        let drawing = kept.map_or(fresh, |kept| kept.drawing);
        self.room.try_set(drawing.rooms.first().map(|room| room.key));
        self.history.try_set(Some(History::new(drawing)));
    }

    /// Changes the drawing by one step, or as part of one.
    pub fn change(self, step: Option<Step>, change: impl FnOnce(&mut Drawing)) {
        self.history.update(|history| {
            if let Some(history) = history {
                let mut next = history.present().clone();
                change(&mut next);
                history.change(step, next);
            }
        });
        if self.held.with_value(Option::is_none) {
            self.keep();
        }
    }

    /// Changes the table that is chosen.
    pub fn change_chosen(self, step: impl FnOnce(u32) -> Option<Step>, change: impl FnOnce(&mut TablePlan)) {
        if let Some(key) = self.chosen.get_untracked() {
            self.change(step(key), |drawing| drawing.change_table(key, change));
        }
    }

    fn keep(self) {
        let Some(drawing) = self.drawing.get_untracked() else { return };
        let kept = Kept { version: self.version.get_value(), drawing };
        spawn_local(async move {
            store::put_json(KEPT, kept).await;
        });
    }

    /// Tables stand on every so many hundredths.
    pub fn grid(self) -> u16 {
        if self.snaps.get_untracked() { GRID } else { 1 }
    }

    /// Whether there is a step to take back.
    pub fn can_undo(self) -> bool {
        self.history.with(|history| history.as_ref().is_some_and(History::can_undo))
    }

    /// Whether there is an undo to take back.
    pub fn can_redo(self) -> bool {
        self.history.with(|history| history.as_ref().is_some_and(History::can_redo))
    }

    /// Takes the last step back.
    pub fn undo(self) {
        self.travel(History::undo);
    }

    /// Takes the last undo back.
    pub fn redo(self) {
        self.travel(History::redo);
    }

    fn travel(self, how: fn(&mut History<Drawing, Step>)) {
        self.history.update(|history| {
            if let Some(history) = history {
                how(history);
            }
        });
        // What is no longer there cannot be chosen; the room is the one where something happened, or one that exists.
        let Some(drawing) = self.drawing.get_untracked() else { return };
        if let Some(key) = self.chosen.get_untracked() {
            match drawing.room_of(key) {
                Some(room) => self.room.set(Some(room.key)),
                None => self.chosen.set(None),
            }
        }
        if self.room.get_untracked().and_then(|key| drawing.room(key)).is_none() {
            self.room.set(drawing.rooms.first().map(|room| room.key));
        }
        self.keep();
    }

    /// A finger came down on a table.
    pub fn take(self, hold: Hold, key: u32, grip: Grip) {
        self.chosen.set(Some(key));
        let from = self.drawing.with_untracked(|drawing| drawing.as_ref().and_then(|drawing| drawing.table(key).cloned()));
        self.held.set_value(from.map(|from| Held { hold, key, from, at: grip.at }));
    }

    /// The finger moved.
    pub fn drag(self, grip: Grip) {
        let Some(Held { hold, key, from, at }) = self.held.get_value() else { return };
        let by = (grip.at.0 - at.0, grip.at.1 - at.1);
        let to = match hold {
            Hold::Move => moved(&from, by, grip.surface, self.grid()),
            Hold::Resize => resized(&from, by, grip.surface, self.grid()),
        };
        self.change(Some(Step::Drag(key)), |drawing| drawing.change_table(key, |table| *table = to));
    }

    /// The finger went up.
    pub fn let_go(self) {
        if self.held.with_value(Option::is_none) {
            return;
        }
        self.held.set_value(None);
        self.history.update(|history| {
            if let Some(history) = history {
                history.settle();
            }
        });
        self.keep();
    }

    /// An arrow: the chosen table goes one line of the grid further, or grows by one. Says whether one is chosen.
    pub fn arrow(self, by: (i32, i32), resize: bool) -> bool {
        let grid = self.grid();
        let grown = |size: u16, by: i32| u16::try_from(i32::from(size) + by * i32::from(grid)).unwrap_or(0);
        self.change_chosen(
            |key| Some(Step::Arrows(key)),
            |table| {
                *table = if resize {
                    TablePlan { width: grown(table.width, by.0), height: grown(table.height, by.1), ..table.clone() }
                } else {
                    nudged(table, by, grid)
                };
            },
        );
        self.chosen.with_untracked(Option::is_some)
    }

    /// Puts a new table into the room on the board.
    pub fn add_table(self) {
        let Some(room) = self.room.get_untracked() else { return };
        let mut added = None;
        self.change(None, |drawing| added = drawing.add_table(room));
        self.choose_or_say_full(added, self.chosen);
    }

    /// Adds a room.
    pub fn add_room(self) {
        let mut added = None;
        self.change(None, |drawing| added = drawing.add_room(|number| t().new_room(number)));
        self.chosen.set(None);
        self.choose_or_say_full(added, self.room);
    }

    fn choose_or_say_full(self, added: Option<u32>, choice: RwSignal<Option<u32>>) {
        if added.is_some() {
            choice.set(added);
        } else {
            self.parts.get_value().2.say(Tone::Warning, t().full);
        }
    }

    /// Takes the chosen table off the plan.
    pub fn remove_chosen(self) {
        if let Some(key) = self.chosen.get_untracked() {
            self.change(None, |drawing| drawing.remove_table(key));
            self.chosen.set(None);
        }
    }

    /// Saves. Whatever the answer, the drawing stays.
    pub fn save(self) {
        let Some(drawing) = self.drawing.get_untracked().filter(|_| !self.busy.get_untracked()) else { return };
        self.busy.set(true);
        self.problem.set(None);
        let (session, live, toaster) = self.parts.get_value();
        let plan = drawing.to_plan(self.version.get_value());
        spawn_local(async move {
            let answer = calls::save_floor_plan(plan).await;
            live.heard_of_call(&answer);
            match answer {
                Ok(saved) => {
                    let numbers = drawing.numbers_in(&saved);
                    self.version.try_set_value(saved.version);
                    self.saved.try_set(Some(saved));
                    self.resumed.try_set(false);
                    self.history.try_update(|history| {
                        if let Some(history) = history {
                            history.correct(|drawing| drawing.adopt(&numbers));
                        }
                    });
                    if self.is_dirty.try_get_untracked() == Some(true) {
                        self.keep();
                    } else {
                        store::forget(KEPT).await;
                    }
                    toaster.say(Tone::Good, t().saved);
                }
                Err(error) => {
                    session.heed(&error);
                    self.overtaken.try_set(error.code() == Some("plan_changed"));
                    self.problem.try_set(Some(explain(&error)));
                }
            }
            self.busy.try_set(false);
        });
    }
}
