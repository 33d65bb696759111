//! The kitchen's screen: slips in columns by course, the oldest first, readable from the stove. A tap moves a dish on, one more button a
//! whole slip.
//!
//! `stove` holds what is shown and what was tapped; `columns` and `card` draw it; `tools` is what stands above.

mod card;
mod columns;
mod stove;
mod tools;

use crate::browser::awake::keep_awake;
use crate::components::icon::Glyph;
use crate::components::notice::{Empty, Skeleton};
use crate::components::page::Page;
use crate::i18n::kitchen::t;
use columns::Columns;
use leptos::prelude::*;
use stove::Stove;
use tools::{AllDayStrip, CutOff, News, RecallSheet, Tools};

/// The slips.
#[component]
pub fn KitchenPage() -> impl IntoView {
    let t = t();
    let stove = Stove::light();
    let recalling = RwSignal::new(false);
    let may_go_dark = keep_awake();
    let is_loaded = Memo::new(move |_| stove.now.with(Option::is_some));
    let is_empty = Memo::new(move |_| stove.board.with(|board| board.is_empty()));
    let slips = move || match (is_loaded.get(), is_empty.get()) {
        (false, _) => view! { <Skeleton count=4/> }.into_any(),
        (true, true) => view! { <Empty glyph=Glyph::Flame title=t.nothing_to_do detail=t.nothing_to_do_detail/> }.into_any(),
        (true, false) => view! { <Columns stove=stove/> }.into_any(),
    };
    view! {
        <Page title=t.title class="kitchen">
            <div class="kitchen-bar">
                <AllDayStrip stove=stove/>
                <Tools stove=stove recalling=recalling/>
            </div>
            <Show when=move || may_go_dark.get()><p class="quiet-text" data-testid="may-go-dark">{t.may_go_dark}</p></Show>
            <CutOff stove=stove/>
            <News stove=stove/>
            {slips}
            <RecallSheet stove=stove open=recalling/>
        </Page>
    }
}
