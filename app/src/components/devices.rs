//! The phones of the house: what each still keeps, and when it was heard of last. Before the day is closed a person should know of orders
//! that the house does not have, and of phones that may have some.

use crate::browser::clock::use_clock;
use crate::browser::{Cached, use_cached_for};
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Notice, Tone};
use crate::i18n::queue::t as words;
use crate::i18n::t;
use crate::session::use_session;
use domain::api::{DeviceView, DevicesView, LateOrder};
use domain::role::Right;
use leptos::prelude::*;
use time::OffsetDateTime;

/// Looks again so often, in seconds: a phone says every minute what it keeps.
const LOOK_EVERY_S: i64 = 30;

/// The phones, asked for again and again: nothing tells that one fell silent.
pub fn use_devices() -> Cached<DevicesView> {
    let (session, clock) = (use_session(), use_clock());
    let devices = use_cached_for(move || session.may(Right::HandleMoney).then_some(()), |()| "devices".to_owned(), |()| calls::devices());
    devices.follow(|_| false);
    let round = Memo::new(move |_| clock.seconds().map(|seconds| seconds / LOOK_EVERY_S));
    Effect::new(move |before: Option<Option<i64>>| {
        let now = round.get();
        if before.flatten().is_some_and(|before| Some(before) != now) {
            devices.refresh();
        }
        now
    });
    devices
}

/// Which phones keep orders, which may keep some, and what arrived too late. Nothing while every phone has said that it keeps nothing.
#[component]
pub fn MissingOrders(#[doc = "The phones."] devices: Cached<DevicesView>) -> impl IntoView {
    move || {
        devices.data.get().map(|view| {
            let (holding, rest): (Vec<_>, Vec<_>) = view.devices.into_iter().partition(|device| device.held > 0);
            let silent: Vec<_> = rest.into_iter().filter(|device| device.silent).collect();
            view! { <Holding devices=holding/><Silent devices=silent/><Late orders=view.late/> }
        })
    }
}

/// The list of all.
#[component]
pub fn Phones(#[doc = "The phones."] devices: Cached<DevicesView>) -> impl IntoView {
    move || devices.data.get().map(|view| view! { <All devices=view.devices/> })
}

#[component]
fn Holding(devices: Vec<DeviceView>) -> impl IntoView {
    let words = words();
    (!devices.is_empty()).then(|| {
        let rows = devices.into_iter().map(|device| view! { <li>{words.device(&device.user_name, device.held, &clock(device.seen_at))}</li> });
        view! {
            <div data-testid="missing-orders">
                <Notice tone=Tone::Warning><div><strong>{words.missing_title}</strong><ul class="device-list">{rows.collect_view()}</ul></div></Notice>
            </div>
        }
    })
}

#[component]
fn Silent(devices: Vec<DeviceView>) -> impl IntoView {
    let words = words();
    (!devices.is_empty()).then(|| {
        let rows = devices.into_iter().map(|device| view! { <li>{words.silent_device(&device.user_name, &clock(device.seen_at))}</li> });
        view! {
            <div data-testid="silent-phones">
                <Notice tone=Tone::Warning>
                    <div><strong>{words.silent_title}</strong><ul class="device-list">{rows.collect_view()}</ul><p>{words.silent_detail}</p></div>
                </Notice>
            </div>
        }
    })
}

#[component]
fn Late(orders: Vec<LateOrder>) -> impl IntoView {
    let words = words();
    (!orders.is_empty()).then(|| {
        let rows = orders.into_iter().map(|late| {
            view! { <li><Icon glyph=Glyph::Clock/>{t().table_named(&late.table)}" · "{late.user_name}" · "{clock(late.typed_at)}</li> }
        });
        view! {
            <div data-testid="late-orders">
                <Notice tone=Tone::Info>
                    <div><strong>{words.late_title}</strong><p>{words.late_detail}</p><ul class="device-list">{rows.collect_view()}</ul></div>
                </Notice>
            </div>
        }
    })
}

#[component]
fn All(devices: Vec<DeviceView>) -> impl IntoView {
    let words = words();
    (!devices.is_empty()).then(|| {
        let rows = devices.into_iter().map(|device| {
            let (glyph, class, state) = match (device.held, device.left, device.silent) {
                (1.., ..) => (Glyph::Alert, "device is-warning", words.held(device.held)),
                (0, true, _) => (Glyph::Leave, "device", words.left.to_owned()),
                (0, false, true) => (Glyph::WifiOff, "device is-warning", words.silent.to_owned()),
                (0, false, false) => (Glyph::Check, "device", words.nothing_held.to_owned()),
            };
            view! {
                <li class=class data-testid="device">
                    <span class="device-who"><Icon glyph=Glyph::Phone/>{device.user_name}</span>
                    <span class="device-state"><Icon glyph=glyph/>{state}</span>
                    <span class="device-seen quiet-text">{words.last_seen}" "{clock(device.seen_at)}</span>
                </li>
            }
        });
        let rows = rows.collect_view();
        view! {
            <section class="card devices">
                <h2>{words.phones}</h2>
                <p class="quiet-text">{words.phones_detail}</p>
                <ul class="device-rows">{rows}</ul>
            </section>
        }
    })
}

/// `22:41` on the clock of this device.
fn clock(at: OffsetDateTime) -> String {
    let (hours, minutes) = crate::browser::clock::on_the_wall(at);
    format!("{hours:02}:{minutes:02}")
}
