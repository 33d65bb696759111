//! The WASM entry. One binary starts in two ways: it hydrates a page that the server rendered, or mounts into the empty shell that the
//! service worker serves without a network. The document says which in `data-render`.

use app::App;
use wasm_bindgen::prelude::wasm_bindgen;

/// Starts the app. The document calls it once the WASM is there.
#[wasm_bindgen]
pub fn start() {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        app::browser::crash::offer_restart();
    }));
    let path = web_sys::window().and_then(|window| window.location().pathname().ok()).unwrap_or_default();
    app::pages::apart::before_begin(&path, begin);
}

/// `whole`: everything that this page needs is here.
fn begin(whole: bool) {
    if is_shell() {
        leptos::mount::mount_to_body(App);
    } else if whole {
        leptos::mount::hydrate_body(App);
    } else {
        // What the server rendered cannot be taken over without its code: begin afresh, and say so there.
        if let Some(body) = document().and_then(|document| document.body()) {
            body.set_inner_html("");
        }
        leptos::mount::mount_to_body(App);
    }
}

fn document() -> Option<web_sys::Document> {
    web_sys::window()?.document()
}

fn is_shell() -> bool {
    document()
        .and_then(|document| document.document_element())
        .and_then(|html| html.get_attribute("data-render"))
        .is_some_and(|render| render == "shell")
}
