//! Phones that keep orders which the house does not have: what a person should know before the day is closed.

use crate::browser::use_cached_for;
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Notice, Tone};
use crate::i18n::queue::t as words;
use crate::session::use_session;
use domain::role::Right;
use leptos::prelude::*;
use time::OffsetDateTime;

/// Nothing while every phone has said that it keeps nothing.
#[component]
pub fn MissingOrders() -> impl IntoView {
    let words = words();
    let session = use_session();
    let devices = use_cached_for(move || session.may(Right::HandleMoney).then_some(()), |()| "devices".to_owned(), |()| calls::devices());
    devices.follow(|_| false);
    move || {
        devices.data.get().map(|view| {
            let holding: Vec<_> = view.devices.into_iter().filter(|device| device.held > 0).collect();
            let missing = (!holding.is_empty()).then(|| {
                let rows = holding.into_iter().map(|device| view! { <li>{words.device(&device.user_name, device.held, &clock(device.seen_at))}</li> });
                view! {
                    <div data-testid="missing-orders">
                        <Notice tone=Tone::Warning><div><strong>{words.missing_title}</strong><ul class="device-list">{rows.collect_view()}</ul></div></Notice>
                    </div>
                }
            });
            let late = (!view.late.is_empty()).then(|| {
                let rows = view.late.into_iter().map(|late| {
                    view! { <li><Icon glyph=Glyph::Clock/>{crate::i18n::t().table_named(&late.table)}" · "{late.user_name}" · "{clock(late.typed_at)}</li> }
                });
                view! {
                    <Notice tone=Tone::Info><div><strong>{words.late_title}</strong><p>{words.late_detail}</p><ul class="device-list">{rows.collect_view()}</ul></div></Notice>
                }
            });
            view! { {missing}{late} }
        })
    }
}

/// `22:41` on the clock of this device.
fn clock(at: OffsetDateTime) -> String {
    let (hours, minutes) = crate::browser::clock::on_the_wall(at);
    format!("{hours:02}:{minutes:02}")
}
