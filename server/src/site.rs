//! The browser side, packed into the binary by `build.rs`: WASM, style, icons, manifest, service worker.
//!
//! A phone in a cellar kitchen has a poor network, so what can be kept is kept: files whose name carries the hash of their content are
//! cached for ever, the others are asked for again by `ETag`, and all of it was compressed when the binary was built.
//!
//! Under `cargo leptos watch` (which sets `LEPTOS_SITE_ROOT`) the files come from that folder under their plain names instead, so that
//! an edit shows without building the server again.

use std::{
    path::{Component, Path, PathBuf},
    sync::LazyLock,
};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

/// Addresses that the HTML document names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssetUrls {
    /// The JavaScript that loads the WASM.
    pub js: &'static str,
    /// The WASM. The loader must be told, because the name carries a hash.
    pub wasm: &'static str,
    /// The style sheet.
    pub css: &'static str,
    /// Changes whenever any file of the site does.
    pub version: &'static str,
}

/// A file of the site, in every encoding in which it may travel.
struct Asset {
    url: &'static str,
    content_type: &'static str,
    /// Weak, because one tag stands for all encodings of the content.
    etag: &'static str,
    /// The address changes with the content: the browser never needs to ask again.
    hashed: bool,
    identity: &'static [u8],
    /// Present when smaller than `identity`; the same holds for `gzip`.
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

// ASSETS, sorted by address, and PACKED.
include!(concat!(env!("OUT_DIR"), "/site.rs"));

/// What `cargo leptos watch` produces.
const WATCHED: AssetUrls = AssetUrls { js: "/pkg/comptoir.js", wasm: "/pkg/comptoir.wasm", css: "/pkg/comptoir.css", version: "watch" };

/// The folder that `cargo leptos watch` keeps up to date, when it runs us.
static WATCHED_ROOT: LazyLock<Option<PathBuf>> =
    LazyLock::new(|| std::env::var_os("LEPTOS_SITE_ROOT").filter(|root| !root.is_empty()).map(PathBuf::from));

/// The addresses that the document must name. Without a browser side (a server built alone) they exist but answer 404.
#[must_use]
pub fn asset_urls() -> AssetUrls {
    if WATCHED_ROOT.is_some() { WATCHED } else { PACKED }
}

/// Answers a request for a file of the site, or 404. Made to be the router's fallback; see [`find_asset`] to answer misses otherwise.
pub async fn serve_asset(request: Request) -> Response {
    find_asset(request.method(), request.uri(), request.headers()).await.unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

/// The answer to a request for a file of the site; nothing when there is no file at that address.
pub async fn find_asset(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Response> {
    if let Some(root) = WATCHED_ROOT.as_deref() {
        return watched_file(root, uri.path()).await;
    }
    let asset = ASSETS.binary_search_by(|asset| asset.url.cmp(uri.path())).ok().and_then(|at| ASSETS.get(at))?;
    Some(asset.respond(method, headers))
}

impl Asset {
    fn respond(&self, method: &Method, headers: &HeaderMap) -> Response {
        if method != Method::GET && method != Method::HEAD {
            return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
        }
        let always = [
            (header::ETAG, HeaderValue::from_static(self.etag)),
            (header::CACHE_CONTROL, HeaderValue::from_static(self.cache_control())),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
        ];
        if is_known(headers, self.etag) {
            return (StatusCode::NOT_MODIFIED, always).into_response();
        }
        let (encoding, content) = self.pick_encoding(headers);
        let body = if method == Method::HEAD { Body::empty() } else { Body::from(content) };
        let mut response = (always, body).into_response();
        let fields = response.headers_mut();
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        fields.insert(header::CONTENT_LENGTH, HeaderValue::from(content.len()));
        if let Some(encoding) = encoding {
            fields.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    }

    /// What must be fresh for an update to be noticed is always asked for again; an icon may lag a day behind.
    fn cache_control(&self) -> &'static str {
        match self.content_type {
            _ if self.hashed => "public, max-age=31536000, immutable",
            kind if kind.starts_with("image/") || kind.starts_with("audio/") || kind.starts_with("font/") => "public, max-age=86400",
            _ => "no-cache",
        }
    }

    /// The smallest variant that the browser accepts. Content is always answered, even to who refuses everything: a 406 helps nobody.
    fn pick_encoding(&self, headers: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
        let brotli = self.brotli.map(|content| ("br", content));
        let gzip = self.gzip.map(|content| ("gzip", content));
        [brotli, gzip]
            .into_iter()
            .flatten()
            .find(|(name, _)| accepts(headers, name))
            .map_or((None, self.identity), |(name, content)| (Some(name), content))
    }
}

/// Whether `Accept-Encoding` allows an encoding. Weights only matter where they are zero, which forbids: among what is allowed we
/// choose, since the smallest variant is already packed (RFC 9110, 12.5.3, leaves that to the server).
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let mut any = false;
    for entry in list(headers, header::ACCEPT_ENCODING) {
        let (name, parameters) = entry.split_once(';').unwrap_or((entry, ""));
        let weight = parameters.trim().strip_prefix("q=").unwrap_or("1");
        let allowed = weight.bytes().any(|digit| matches!(digit, b'1'..=b'9'));
        match name.trim() {
            name if name.eq_ignore_ascii_case(encoding) => return allowed,
            "*" => any = allowed,
            _ => {}
        }
    }
    any
}

/// Whether the browser holds this content already. Comparison is weak, as `If-None-Match` asks for (RFC 9110, 13.1.2).
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    list(headers, header::IF_NONE_MATCH).any(|tag| tag == "*" || opaque(tag) == opaque(etag))
}

/// The entries of a comma-separated field, over all its lines.
fn list(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).map(str::trim)
}

/// A file of the folder that `cargo leptos watch` fills. Never cached; the service worker holds nothing, so every edit is seen.
async fn watched_file(root: &Path, path: &str) -> Option<Response> {
    let relative = Path::new(path.trim_start_matches('/'));
    if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let mut content = tokio::fs::read(root.join(relative)).await.ok()?;
    if path == "/sw.js" {
        let template = String::from_utf8(content).ok()?;
        content = template.replace("__VERSION__", WATCHED.version).replace("\"__PRECACHE__\"", "[]").into_bytes();
    }
    let kind = match relative.extension()?.to_str()? {
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    };
    Some(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], content).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    static SCRIPT: Asset = Asset {
        url: "/pkg/comptoir.0123abcd.js",
        content_type: "text/javascript; charset=utf-8",
        etag: "W/\"0123\"",
        hashed: true,
        identity: b"identity",
        brotli: Some(b"br"),
        gzip: Some(b"gzip"),
    };

    fn ask(asset: &Asset, method: Method, fields: &[(&'static str, &'static str)]) -> Response {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        asset.respond(&method, &headers)
    }

    fn field<'a>(response: &'a Response, name: &str) -> &'a str {
        response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    #[test]
    fn the_smallest_accepted_variant_is_sent() {
        for (accept, encoding, length) in [
            ("gzip, deflate, br, zstd", "br", "2"),
            ("gzip", "gzip", "4"),
            ("br;q=0, gzip;q=0.5", "gzip", "4"),
            ("br;q=0.000, gzip;q=0.001", "gzip", "4"),
            ("*", "br", "2"),
            ("*;q=0", "", "8"),
            ("identity", "", "8"),
            ("", "", "8"),
        ] {
            let response = ask(&SCRIPT, Method::GET, &[("accept-encoding", accept)]);
            assert_eq!(field(&response, "content-encoding"), encoding, "{accept}");
            assert_eq!(field(&response, "content-length"), length, "{accept}");
            assert_eq!(field(&response, "vary"), "accept-encoding", "{accept}");
        }
    }

    #[test]
    fn what_the_browser_holds_is_not_sent_again() {
        for known in ["W/\"0123\"", "\"0123\"", "\"other\", W/\"0123\"", "*"] {
            let response = ask(&SCRIPT, Method::GET, &[("if-none-match", known)]);
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!(field(&response, "etag"), SCRIPT.etag, "{known}");
        }
        assert_eq!(ask(&SCRIPT, Method::GET, &[("if-none-match", "\"012\"")]).status(), StatusCode::OK);
    }

    #[test]
    fn only_hashed_names_are_cached_for_ever() {
        let cached = |hashed, content_type| Asset { hashed, content_type, ..SCRIPT }.cache_control();
        assert!(cached(true, "application/wasm").contains("immutable"));
        assert_eq!(cached(false, "text/javascript; charset=utf-8"), "no-cache");
        assert_eq!(cached(false, "application/manifest+json"), "no-cache");
        assert_eq!(cached(false, "image/png"), "public, max-age=86400");
    }

    #[test]
    fn other_methods_are_told_what_is_allowed() {
        let response = ask(&SCRIPT, Method::POST, &[]);
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(field(&response, "allow"), "GET, HEAD");
    }

    #[test]
    fn the_packed_site_is_sorted_and_holds_what_the_document_names() {
        assert!(ASSETS.is_sorted_by_key(|asset| asset.url));
        assert!(ASSETS.iter().any(|asset| asset.url == PACKED.css));
    }

    #[tokio::test]
    async fn a_watched_folder_is_never_left() {
        let root = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(root.path().join("site")).expect("a folder");
        std::fs::write(root.path().join("secret.js"), "x").expect("a file");
        std::fs::write(root.path().join("site/sw.js"), "[\"__PRECACHE__\"]").expect("a file");
        let site = root.path().join("site");
        assert!(watched_file(&site, "/../secret.js").await.is_none());
        assert!(watched_file(&site, "/sw.js").await.is_some());
    }
}
