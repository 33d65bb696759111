//! One route: who may, what it takes, what it answers, how it may be refused.

use super::codes::{Code, find};
use super::shapes::{list, to};
use domain::Role;
use domain::role::Right;
use serde_json::Value;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Everybody.
    Anyone,
    /// Programs of the machine itself.
    ThisMachine,
    /// Whoever is signed in.
    SignedIn,
    /// Whoever has the right.
    May(Right),
    /// The kitchen system, with a token.
    KitchenSystem,
}

/// What is answered when all goes well.
pub struct Answer {
    pub(super) status: u16,
    pub(super) means: &'static str,
    /// Media type and shape; none: no body.
    pub(super) content: Option<(&'static str, Value)>,
}

/// One route and method.
pub struct Route {
    /// Lower case, as OpenAPI writes it.
    pub method: &'static str,
    /// As the router writes it.
    pub path: &'static str,
    /// Who may.
    pub who: Who,
    pub(super) does: &'static str,
    pub(super) query: Vec<(&'static str, bool, Value)>,
    pub(super) takes: Option<Value>,
    pub(super) gives: Vec<Answer>,
    pub(super) once: bool,
    pub(super) refuses: &'static [&'static str],
}

impl Route {
    pub(super) fn new(method: &'static str, path: &'static str, who: Who, does: &'static str) -> Self {
        Self { method, path, who, does, query: Vec::new(), takes: None, gives: Vec::new(), once: false, refuses: &[] }
    }

    pub(super) fn takes(mut self, body: &str) -> Self {
        self.takes = Some(to(body));
        self
    }

    pub(super) fn takes_list(mut self, of: Value) -> Self {
        self.takes = Some(list(of));
        self
    }

    pub(super) fn asks(mut self, name: &'static str, needed: bool, shape: Value) -> Self {
        self.query.push((name, needed, shape));
        self
    }

    pub(super) fn gives(self, status: u16, body: &str) -> Self {
        self.gives_as(status, "application/json", to(body))
    }

    pub(super) fn gives_list(self, of: Value) -> Self {
        self.gives_as(200, "application/json", list(of))
    }

    pub(super) fn gives_as(mut self, status: u16, media_type: &'static str, shape: Value) -> Self {
        let means = match status {
            201 => "Done, for the first time.",
            202 => "Not done yet.",
            _ => "Done.",
        };
        self.gives.push(Answer { status, means, content: Some((media_type, shape)) });
        self
    }

    pub(super) fn gives_nothing(mut self, status: u16, means: &'static str) -> Self {
        self.gives.push(Answer { status, means, content: None });
        self
    }

    /// Carries an id, so that the same again is the same.
    pub(super) fn once(mut self) -> Self {
        self.once = true;
        self
    }

    pub(super) fn refuses(mut self, codes: &'static [&'static str]) -> Self {
        self.refuses = codes;
        self
    }

    /// Which roles may; none when it is not a matter of roles.
    #[must_use]
    pub fn roles(&self) -> Option<Vec<Role>> {
        match self.who {
            Who::SignedIn => Some(Role::ALL.to_vec()),
            Who::May(right) => Some(Role::ALL.into_iter().filter(|role| role.may(right)).collect()),
            Who::Anyone | Who::ThisMachine | Who::KitchenSystem => None,
        }
    }

    /// A name for programs that are made from the document: `post_orders_id_transfer`.
    pub(super) fn name(&self) -> String {
        let words = self.path.trim_start_matches("/api").split(['/', '.', '-']).map(|word| word.trim_matches(['{', '}']));
        words.filter(|word| !word.is_empty()).fold(self.method.to_owned(), |name, word| format!("{name}_{word}"))
    }

    /// Every code that it may be refused with.
    pub(super) fn codes(&self) -> Vec<&'static Code> {
        let mut words: Vec<&str> = Vec::new();
        match self.who {
            Who::Anyone => {}
            Who::ThisMachine => words.push("forbidden"),
            Who::SignedIn => words.extend(["not_signed_in", "sessions_unavailable"]),
            Who::May(_) => words.extend(["not_signed_in", "forbidden", "sessions_unavailable"]),
            Who::KitchenSystem => words.extend(["bad_token", "webhook_not_configured"]),
        }
        if self.path.starts_with("/api/") {
            words.extend(["database_unavailable", "too_slow"]);
        }
        if self.path.contains('{') {
            words.push("not_found");
        }
        if self.method != "get" {
            words.extend(["cross_origin", "too_large"]);
        }
        if self.takes.is_some() {
            words.extend(["bad_json", "wrong_content_type", "invalid"]);
        }
        if !self.query.is_empty() {
            words.push("invalid");
        }
        if self.once {
            words.extend(["idempotency_mismatch", "request_too_old", "invalid"]);
        }
        words.extend(self.refuses);
        words.sort_unstable();
        words.dedup();
        words.into_iter().filter_map(find).collect()
    }
}
