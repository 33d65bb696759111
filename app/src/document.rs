//! The HTML around the app.
//!
//! One document serves two starts. A *page* carries what the server rendered and is hydrated. The *shell* carries nothing, no name and no
//! amount: the service worker keeps it and answers with it when there is no network, and the app mounts into its empty body.
//! `data-render` tells the browser which of the two it got.

use crate::app::App;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::MetaTags;

/// Where the browser finds the browser side. The names carry hashes, so only the server knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assets {
    /// The JavaScript module that loads the WASM.
    pub js: String,
    /// The WASM.
    pub wasm: String,
    /// The style sheet.
    pub css: String,
}

/// Which document to render.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentOptions {
    /// The empty body of the offline start instead of the app.
    pub shell: bool,
    /// What the head names.
    pub assets: Assets,
}

/// The whole document, to be rendered by `leptos_axum`.
pub fn document(options: DocumentOptions) -> impl IntoView {
    let DocumentOptions { shell, assets } = options;
    let start = format!(
        "import init, {{ start }} from {js:?}; init({{ module_or_path: {wasm:?} }}).then(() => start());",
        js = assets.js,
        wasm = assets.wasm
    );
    view! {
        <!DOCTYPE html>
        <html lang="fr" translate="no" data-render=if shell { "shell" } else { "page" }>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="theme-color" media="(prefers-color-scheme: light)" content="#f7f3ed"/>
                <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#161311"/>
                <meta name="google" content="notranslate"/>
                <link rel="manifest" href="/manifest.webmanifest"/>
                <link rel="icon" type="image/svg+xml" href="/icon.svg"/>
                <link rel="apple-touch-icon" href="/apple-touch-icon.png"/>
                <link rel="stylesheet" href=assets.css/>
                <link rel="modulepreload" href=assets.js crossorigin="anonymous"/>
                <link rel="preload" href=assets.wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
                <MetaTags/>
                <script type="module" nonce=use_nonce()>{start}</script>
            </head>
            <body>{(!shell).then(|| view! { <App/> })}</body>
        </html>
    }
}
