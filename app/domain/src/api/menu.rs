//! Changing the menu.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Whether something can be ordered now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Availability {
    /// It can, or it is out.
    pub available: bool,
    /// Out until then; without it, until somebody says otherwise.
    #[serde(with = "time::serde::rfc3339::option", default, skip_serializing_if = "Option::is_none")]
    pub until: Option<OffsetDateTime>,
}
