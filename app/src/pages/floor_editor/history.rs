//! Undo and redo: every state that was, and every one that was taken back. Pure.

/// So many steps back are remembered.
const MOST_STEPS: usize = 200;

/// A thing that is changed step by step. A step has a kind: changes of one kind that follow each other (a finger that drags, a name
/// that is typed) are one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History<T, K> {
    past: Vec<T>,
    present: T,
    future: Vec<T>,
    running: Option<K>,
}

impl<T: Clone + PartialEq, K: PartialEq> History<T, K> {
    /// Begins with nothing to take back.
    pub fn new(present: T) -> Self {
        Self { past: Vec::new(), present, future: Vec::new(), running: None }
    }

    /// What is so now.
    pub fn present(&self) -> &T {
        &self.present
    }

    /// Goes on to `next`. A step of `None` stands alone.
    pub fn change(&mut self, kind: Option<K>, next: T) {
        if next == self.present {
            return;
        }
        let goes_on = kind.is_some() && kind == self.running;
        let before = std::mem::replace(&mut self.present, next);
        if !goes_on {
            if self.past.len() == MOST_STEPS {
                self.past.remove(0);
            }
            self.past.push(before);
        }
        self.running = kind;
        self.future.clear();
    }

    /// The step is over: what comes next is another, even of the same kind. A step that led nowhere was none.
    pub fn settle(&mut self) {
        if self.running.take().is_some() && self.past.last() == Some(&self.present) {
            self.past.pop();
        }
    }

    /// Takes the last step back.
    pub fn undo(&mut self) {
        self.settle();
        if let Some(before) = self.past.pop() {
            self.future.push(std::mem::replace(&mut self.present, before));
        }
    }

    /// Takes the last undo back.
    pub fn redo(&mut self) {
        self.settle();
        if let Some(after) = self.future.pop() {
            self.past.push(std::mem::replace(&mut self.present, after));
        }
    }

    /// Whether there is a step to take back.
    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    /// Whether there is an undo to take back.
    pub fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }

    /// Corrects something in every state, so that no undo brings it back.
    pub fn correct(&mut self, correct: impl Fn(&mut T)) {
        self.past.iter_mut().chain([&mut self.present]).chain(&mut self.future).for_each(correct);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(steps: &[(Option<char>, u32)]) -> History<u32, char> {
        let mut history = History::new(0);
        for (kind, next) in steps {
            history.change(*kind, *next);
        }
        history
    }

    #[test]
    fn every_step_is_taken_back_and_brought_again() {
        let mut history = after(&[(None, 1), (None, 2), (None, 3)]);
        history.undo();
        history.undo();
        assert_eq!((*history.present(), history.can_undo(), history.can_redo()), (1, true, true));
        history.redo();
        assert_eq!(*history.present(), 2);
        history.undo();
        history.undo();
        history.undo();
        assert_eq!((*history.present(), history.can_undo()), (0, false));
    }

    #[test]
    fn a_drag_is_one_step_and_the_next_drag_another() {
        let mut history = after(&[(Some('d'), 1), (Some('d'), 2), (Some('d'), 3)]);
        history.settle();
        history.change(Some('d'), 4);
        history.undo();
        assert_eq!(*history.present(), 3);
        history.undo();
        assert_eq!((*history.present(), history.can_undo()), (0, false));
    }

    #[test]
    fn a_drag_that_comes_home_is_no_step() {
        let mut history = after(&[(Some('d'), 1), (Some('d'), 0)]);
        history.settle();
        assert!(!history.can_undo());
    }

    #[test]
    fn a_new_step_ends_what_could_be_brought_again() {
        let mut history = after(&[(None, 1), (None, 2)]);
        history.undo();
        history.change(None, 7);
        history.redo();
        assert_eq!((*history.present(), history.can_redo()), (7, false));
    }

    #[test]
    fn what_changes_nothing_is_no_step_and_old_steps_are_forgotten() {
        let mut history = after(&[(None, 0), (Some('d'), 0)]);
        assert!(!history.can_undo());
        for step in 1..=500 {
            history.change(None, step);
        }
        while history.can_undo() {
            history.undo();
        }
        assert_eq!(*history.present(), 300);
    }

    #[test]
    fn a_correction_is_in_every_state() {
        let mut history = after(&[(None, 1), (None, 2), (None, 3)]);
        history.undo();
        history.correct(|state| *state += 10);
        history.redo();
        assert_eq!(*history.present(), 13);
        history.undo();
        history.undo();
        assert_eq!(*history.present(), 11);
    }
}
