//! Pages: rendered here, taken over by the browser; and the calls that pages make.

use super::peer::Peer;
use super::till::RequestTill;
use crate::LARGEST_BODY;
use crate::error::{Error, Result};
use crate::site::{asset_urls, find_asset};
use crate::state::Shared;
use app::document::{Assets, DocumentOptions, document};
use app::error::CallError;
use app::ports::CurrentTill;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use leptos::nonce::use_nonce;
use leptos::prelude::{expect_context, provide_context};
use leptos::server_fn::axum::server_fn_paths;
use leptos_axum::ResponseOptions;
use std::sync::Arc;
use tower_sessions::Session;

/// Our own files and nothing else; scripts only with the nonce of this very page. WebAssembly has to be compiled, hence the one `eval`.
fn content_security_policy(nonce: &str) -> String {
    format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
         connect-src 'self'; manifest-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    )
}

/// The worker's own policy holds for what it fetches, which is every file of the site.
const WORKER_POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
/// What the policy inside a page cannot say.
const NOT_FRAMED: &str = "frame-ancestors 'none'";

fn options(shell: bool) -> DocumentOptions {
    let urls = asset_urls();
    DocumentOptions { shell, assets: Assets { js: urls.js.into(), wasm: urls.wasm.into(), css: urls.css.into() } }
}

async fn render(till: CurrentTill, shell: bool, request: Request) -> Response {
    let context = move || provide_context(Arc::clone(&till));
    let view = move || {
        let nonce = use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default();
        if let Ok(policy) = HeaderValue::from_str(&content_security_policy(&nonce)) {
            expect_context::<ResponseOptions>().insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
        document(options(shell))
    };
    leptos_axum::render_app_async_with_context(context, view)(request).await
}

/// Every page of the app. A page names a person and a moment: it is never kept.
///
/// # Errors
/// When the session store does not answer.
pub async fn page(State(house): State<Shared>, session: Session, request: Request) -> Result<Response> {
    let till: CurrentTill = Arc::new(RequestTill::new(house, session, Peer::of(&request)).await?);
    let mut response = render(till, false, request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// `GET /shell`: the document without a page and without data, which the service worker keeps and answers with when there is no network.
///
/// # Errors
/// When the session store does not answer.
pub async fn shell(State(house): State<Shared>, session: Session, request: Request) -> Result<Response> {
    let till: CurrentTill = Arc::new(RequestTill::new(house, session, Peer::of(&request)).await?);
    let mut response = render(till, true, request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// `GET /verifier`: the page on which anybody checks an archive. One file, the same for everybody; its policy is inside it, so that it also holds
/// for a copy that somebody saved.
///
/// # Errors
/// [`Error::NotFound`] when the server was built without a browser side.
pub async fn verifier(request: Request) -> Result<Response> {
    let mut page = find_asset(request.method(), request.uri(), request.headers()).await.ok_or(Error::NotFound("cette adresse"))?;
    page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(NOT_FRAMED));
    Ok(page)
}

/// The address of a call that there is. Whatever registered itself counts, wherever it is written.
#[must_use]
pub fn known_call(asked: &str) -> Option<&'static str> {
    known_calls().find(|path| *path == asked)
}

/// The addresses of all calls.
pub fn known_calls() -> impl Iterator<Item = &'static str> {
    server_fn_paths().map(|(path, _)| path)
}

/// `POST /call/{name}`: the typed calls of the pages.
///
/// # Errors
/// [`Error::NotFound`], [`Error::TooLarge`]; when the session store does not answer.
pub async fn call(State(house): State<Shared>, session: Session, request: Request) -> Result<Response> {
    if known_call(request.uri().path()).is_none() {
        return Err(Error::NotFound("cette adresse"));
    }
    let till: CurrentTill = Arc::new(RequestTill::new(house, session, Peer::of(&request)).await?);
    let context = move || provide_context(Arc::clone(&till));
    // Calls read their body themselves, so the limit for routes does not reach them.
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST_BODY).await.map_err(|_| Error::TooLarge)?;
    let request = Request::from_parts(parts, body.into());
    let response = leptos_axum::handle_server_fns_with_context(context, request).await.into_response();
    with_status_of_refusal(response).await
}

/// To the framework every error is a defect of ours (500); a refusal has the status that the outside contract gives it.
async fn with_status_of_refusal(response: Response) -> Result<Response> {
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, LARGEST_BODY).await.map_err(Error::internal)?;
    if let Ok(CallError::Refused(problem)) = serde_json::from_slice(&body)
        && let Ok(status) = StatusCode::from_u16(problem.status)
    {
        parts.status = status;
    }
    Ok(Response::from_parts(parts, body.into()))
}

/// Whatever no route names: a file of the site, or nothing.
///
/// # Errors
/// [`Error::NotFound`] for programs; a person gets the page that says so.
pub async fn other(State(house): State<Shared>, session: Session, request: Request) -> Result<Response> {
    if let Some(mut asset) = find_asset(request.method(), request.uri(), request.headers()).await {
        if request.uri().path() == "/sw.js" {
            asset.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(WORKER_POLICY));
        }
        return Ok(asset);
    }
    let wants_page = request.headers().get(header::ACCEPT).is_some_and(|accept| accept.to_str().is_ok_and(|a| a.contains("text/html")));
    if !wants_page || request.uri().path().starts_with("/api/") {
        return Err(Error::NotFound("cette adresse"));
    }
    let mut response = page(State(house), session, request).await?;
    *response.status_mut() = StatusCode::NOT_FOUND;
    Ok(response)
}
