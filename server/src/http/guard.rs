//! Who comes through: signed in, with the right to, from our own pages.

use crate::LARGEST_BODY;
use crate::error::{Error, Result};
use crate::session_store::USER;
use crate::state::Shared;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use domain::api::SessionUser;
use domain::role::Right;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tower_sessions::Session;
use tracing::Instrument;

/// Who is signed in with this session.
///
/// # Errors
/// When the store does not answer.
pub async fn current_user(session: &Session) -> Result<Option<SessionUser>> {
    Ok(session.get(USER).await?)
}

/// Lets through who is signed in, whatever the role, and tells the handler who it is.
///
/// # Errors
/// [`Error::NotSignedIn`].
pub async fn signed_in(session: Session, mut request: Request, next: Next) -> Result<Response> {
    let user = current_user(&session).await?.ok_or(Error::NotSignedIn)?;
    request.extensions_mut().insert(user);
    Ok(next.run(request).await)
}

/// Lets through who is signed in and has the right, and tells the handler who it is. Before the body is read: what a stranger sends is
/// not even parsed.
///
/// # Errors
/// [`Error::NotSignedIn`], [`Error::Forbidden`].
pub async fn may(State(right): State<Right>, session: Session, mut request: Request, next: Next) -> Result<Response> {
    let user = current_user(&session).await?.ok_or(Error::NotSignedIn)?;
    if !user.role.may(right) {
        return Err(Error::Forbidden);
    }
    request.extensions_mut().insert(user);
    Ok(next.run(request).await)
}

/// Refuses writes and sockets that a page of another origin asks for. `SameSite=Strict` already keeps our cookie from them; this also
/// covers browsers and set-ups in which it does not.
///
/// # Errors
/// [`Error::CrossOrigin`].
pub async fn same_origin(request: Request, next: Next) -> Result<Response> {
    let upgrades = request.headers().contains_key(header::UPGRADE);
    if (writes(request.method()) || upgrades) && !comes_from_here(request.headers()) {
        return Err(Error::CrossOrigin);
    }
    Ok(next.run(request).await)
}

fn comes_from_here(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if let Some(origin) = headers.get(header::ORIGIN) {
        let host = text(header::HOST.as_str());
        return origin.to_str().ok().and_then(|origin| origin.split_once("://")).is_some_and(|(_, from)| Some(from) == host);
    }
    // Programs send neither; browsers that leave out Origin still say where they come from.
    !matches!(text("sec-fetch-site"), Some("cross-site" | "same-site"))
}

/// Lets whoever writes finish, also when the client goes away meanwhile: what is committed is announced and forgotten everywhere, and a
/// transaction that has begun is not torn off. Reading ends with whoever asked, and nothing begins before the body is here: one that does
/// not come within the limit begins nothing.
///
/// # Errors
/// [`Error::TooSlow`], [`Error::TooLarge`].
pub async fn to_the_end(State((house, within)): State<(Shared, Duration)>, request: Request, next: Next) -> Result<Response> {
    if !writes(request.method()) {
        return Ok(next.run(request).await);
    }
    let (head, body) = request.into_parts();
    let body = timeout(within, to_bytes(body, LARGEST_BODY)).await.map_err(|_| Error::TooSlow)?.map_err(|_| Error::TooLarge)?;
    let request = Request::from_parts(head, Body::from(body));
    Ok(Finishing(Some(Box::pin(house.writing.track_future(next.run(request).in_current_span())))).await)
}

/// Runs where it is awaited, and goes on by itself when whoever awaits it is given up. Nearly always nobody is: then it costs no second task, and
/// nobody is woken for the answer.
struct Finishing<T: Future<Output: Send + 'static> + Send + 'static>(Option<Pin<Box<T>>>);

impl<T: Future<Output: Send + 'static> + Send + 'static> Future for Finishing<T> {
    type Output = T::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T::Output> {
        // Taken out while it runs: one that panics is not run again.
        let Some(mut running) = self.0.take() else { return Poll::Pending };
        let polled = running.as_mut().poll(context);
        if polled.is_pending() {
            self.0 = Some(running);
        }
        polled
    }
}

impl<T: Future<Output: Send + 'static> + Send + 'static> Drop for Finishing<T> {
    fn drop(&mut self) {
        // Without a runtime the process ends, and nothing can go on.
        if let Some(running) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(running);
        }
    }
}

fn writes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Marks our cookie `Secure` when the proxy in front says that the person's connection is TLS.
pub async fn secure_cookies(request: Request, next: Next) -> Response {
    let behind_tls = is_behind_tls(request.headers());
    let mut response = next.run(request).await;
    if behind_tls && let Some(cookie) = response.headers().get(header::SET_COOKIE).cloned() {
        let marked = [cookie.as_bytes(), b"; Secure"].concat();
        if let Ok(marked) = HeaderValue::from_bytes(&marked) {
            response.headers_mut().insert(header::SET_COOKIE, marked);
        }
    }
    response
}

fn is_behind_tls(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https")
}

/// What is no page loads nothing and is framed by nobody.
const NO_PAGE: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// What is said to a program or a page is of a person and a moment.
const NOT_KEPT: HeaderValue = HeaderValue::from_static("no-store");
/// A week: a house that gives its proxy up is not locked out for longer, and whoever works comes by more often. Of this name only, but of all its ports.
const TLS_ONLY: HeaderValue = HeaderValue::from_static("max-age=604800");

/// What every answer says where its handler did not, refusals included: who may load what for it, and who may keep it. Behind TLS also that the browser comes
/// back that way, for whoever types the address without it would send the cookie's request in the open.
pub async fn closed_unless_said(request: Request, next: Next) -> Response {
    let is_said_to_somebody = ["/api/", "/call/"].into_iter().any(|under| request.uri().path().starts_with(under));
    let behind_tls = is_behind_tls(request.headers());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(NO_PAGE);
    if is_said_to_somebody {
        headers.entry(header::CACHE_CONTROL).or_insert(NOT_KEPT);
    }
    if behind_tls {
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(TLS_ONLY);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn what_has_begun_goes_on_when_whoever_asked_is_gone() {
        let (go, wait) = oneshot::channel::<()>();
        let (done, is_done) = oneshot::channel();
        let mut writing = Box::pin(Finishing(Some(Box::pin(async move {
            wait.await.expect("told to go on");
            done.send(()).expect("somebody hears of it");
        }))));
        assert!(futures::poll!(writing.as_mut()).is_pending());
        drop(writing);
        go.send(()).expect("it still waits");
        is_done.await.expect("it went on to its end");
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn only_our_own_origin_writes() {
        assert!(comes_from_here(&headers(&[("host", "till.example:3000"), ("origin", "http://till.example:3000")])));
        assert!(!comes_from_here(&headers(&[("host", "till.example:3000"), ("origin", "http://evil.example")])));
        assert!(!comes_from_here(&headers(&[("host", "till.example:3000"), ("origin", "null")])));
        assert!(!comes_from_here(&headers(&[("host", "till.example"), ("sec-fetch-site", "cross-site")])));
        assert!(comes_from_here(&headers(&[("host", "till.example")])), "a program");
    }
}
