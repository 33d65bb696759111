//! A defect of ours stops the whole app in the browser: buttons stay on screen and do nothing. Nobody should have to guess that.
//!
//! What was typed is on the phone already, so starting again loses nothing. The button is a plain form, because none of our code runs.

use crate::i18n::t;

/// Shows a bar that says so and offers to start again.
pub fn offer_restart() {
    let t = t();
    let bar =
        format!("<form class=\"crash tone-bad\" role=\"alert\"><p>{}</p><button class=\"button\">{}</button></form>", t.crashed, t.restart);
    if let Some(body) = leptos::prelude::document().body() {
        let _shown = body.insert_adjacent_html("beforeend", &bar);
    }
}
