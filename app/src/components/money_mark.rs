//! The mark that money waits for a person's word: on the plan and at the end of the day, for cashiers.

use super::icon::{Glyph, Icon};
use crate::browser::{Cached, use_cached_for};
use crate::calls;
use crate::i18n::money::t;
use crate::session::use_session;
use domain::api::{Event, MoneyToCheck};
use domain::role::Right;
use leptos::prelude::*;

/// Everything that waits for a person's word; nothing for whoever takes no money.
#[must_use]
pub fn use_money_to_check() -> Cached<MoneyToCheck> {
    let session = use_session();
    let may = Signal::derive(move || session.may(Right::HandleMoney));
    let money = use_cached_for(move || may.get().then_some(()), |()| "money-to-check".to_owned(), |()| calls::money_to_check());
    money.follow(|event| matches!(event, Event::MoneyToCheck {}));
    money
}

/// How many sums wait, and the way to them; nothing when none does.
#[component]
pub fn MoneyMark() -> impl IntoView {
    let money = use_money_to_check();
    let count = Memo::new(move |_| money.data.with(|money| money.as_ref().map_or(0, MoneyToCheck::count)));
    move || {
        (count.get() > 0).then(|| {
            view! {
                <a class="money-mark" href="/a-verifier" data-testid="money-mark">
                    <Icon glyph=Glyph::Alert/>
                    <span><strong>{t().sums(count.get())}</strong>" "{t().mark_detail}</span>
                </a>
            }
        })
    }
}
