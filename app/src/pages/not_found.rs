//! An address that leads nowhere.

use crate::components::icon::Glyph;
use crate::components::notice::Empty;
use crate::components::page::Page;
use crate::i18n::t;
use leptos::prelude::*;

/// Says so, and shows the way back. The server answers 404.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    let t = t();
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
    view! {
        <Page title=t.not_found back="/plan">
            <Empty glyph=Glyph::Search title=t.not_found detail=t.not_found_detail/>
            <p class="centred"><a class="button primary" href="/plan">{t.back_to_plan}</a></p>
        </Page>
    }
}
