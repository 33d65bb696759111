//! What anybody may read about the journal, an inspector first of all: what is protected and what is not, how to check it, what was tried against it.
//!
//! Markdown in `server/docs`, so that it is read in the source as well; built in, so that it is of the version that runs.

use crate::site::asset_urls;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use pulldown_cmark::{Options, Parser, html};
use std::fmt::Write as _;

/// Where each is read, and how the others name it.
const DOCUMENTS: [(&str, &str, &str, &str); 3] = [
    ("/protection", "protection.md", "Ce qui est protégé", include_str!("../../docs/protection.md")),
    (
        "/manuel",
        "manuel-administration-fiscale.md",
        "Manuel pour l’administration",
        include_str!("../../docs/manuel-administration-fiscale.md"),
    ),
    ("/attaques", "attaques.md", "Ce qui a été tenté", include_str!("../../docs/attaques.md")),
];

/// Text, one style sheet and the icon: no script, nothing of another house.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /protection`, `/manuel`, `/attaques`.
pub async fn show(request: Request) -> Response {
    let path = request.uri().path();
    let Some((_, _, title, text)) = DOCUMENTS.iter().find(|(at, ..)| *at == path) else {
        return crate::error::Error::NotFound("cette adresse").into_response();
    };
    let mut page = Html(page(path, title, text)).into_response();
    let headers = page.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    page
}

fn page(here: &str, title: &str, text: &str) -> String {
    let text = DOCUMENTS.iter().fold(text.to_owned(), |text, (path, file, ..)| text.replace(&format!("]({file})"), &format!("]({path})")));
    let mut written = String::new();
    html::push_html(&mut written, Parser::new_ext(&text, Options::ENABLE_TABLES));
    // A table wider than a phone moves by itself and not the page.
    let written = written.replace("<table>", "<div class=\"document-table\" tabindex=\"0\"><table>").replace("</table>", "</table></div>");
    let mut ways = String::new();
    for (path, _, name, _) in DOCUMENTS {
        let current = if path == here { " aria-current=\"page\"" } else { "" };
        // A string takes whatever is written to it.
        let _ = write!(ways, "<a href=\"{path}\"{current}>{name}</a>");
    }
    format!(
        "<!DOCTYPE html><html lang=\"fr\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} · Comptoir</title><link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\"><link rel=\"stylesheet\" href=\"{css}\"></head><body class=\"document\">\
         <nav class=\"document-ways\" aria-label=\"Documents\">{ways}<a href=\"/verifier\">Vérifier une archive</a></nav><main>{written}</main></body></html>",
        css = asset_urls().css,
    )
}
