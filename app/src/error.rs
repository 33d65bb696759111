//! What a page can be told when a call does not give what it asked for.

use crate::json::Written;
use domain::api::Problem;
use serde::{Deserialize, Serialize};
use server_fn::error::{FromServerFnError, ServerFnErrorErr};

/// Why a call gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum CallError {
    /// The server understood and said no; `detail` is for the person in front of the screen.
    #[error("{}", .0.detail)]
    Refused(Problem),
    /// No answer: no network, server down, answer cut off. Nothing is known about what happened there.
    #[error("Le serveur ne répond pas.")]
    Unreachable(String),
}

impl CallError {
    /// The stable code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(problem) => Some(&problem.code),
            Self::Unreachable(_) => None,
        }
    }

    /// Whether the person has to sign in (again).
    #[must_use]
    pub fn needs_sign_in(&self) -> bool {
        matches!(self, Self::Refused(problem) if problem.status == 401)
    }
}

impl From<Problem> for CallError {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl FromServerFnError for CallError {
    type Encoder = Written;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            // On the server: the question makes no sense, because a program is not ours or an app is from another year. In the browser the
            // same word means that the answer makes none.
            ServerFnErrorErr::Deserialization(_) | ServerFnErrorErr::Args(_) if cfg!(feature = "ssr") => Self::Refused(Problem {
                status: 422,
                code: "invalid".to_owned(),
                detail: "La demande contient une valeur invalide.".to_owned(),
                errors: Vec::new(),
            }),
            other => Self::Unreachable(other.to_string()),
        }
    }
}
