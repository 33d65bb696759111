//! Where a request comes from, for counting who guesses.

use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

/// The [`household`] of whoever asks.
///
/// Behind a proxy on the same machine it is the last address in `X-Forwarded-For`, the one that this proxy wrote. From any other machine
/// the header is what the sender likes it to be, and is not read: all phones behind a proxy elsewhere are one address, which the limits
/// are made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer(pub String);

impl Peer {
    /// The peer of a request.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        Self::from_parts(request.extensions(), request.headers())
    }

    fn from_parts(extensions: &Extensions, headers: &HeaderMap) -> Self {
        // Without a connection there is no address; whoever comes that way shares one count.
        let Some(ConnectInfo(address)) = extensions.get::<ConnectInfo<SocketAddr>>() else { return Self("unknown".to_owned()) };
        let address = address.ip().to_canonical();
        let forwarded = || {
            let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?.rsplit(',').next()?;
            last.trim().parse::<IpAddr>().ok()
        };
        let address = if address.is_loopback() { forwarded().map_or(address, |known| known.to_canonical()) } else { address };
        Self(household(address))
    }
}

/// An address as networks hand them out to one household: an IPv4 address, or the first 64 bits of an IPv6 address.
#[must_use]
pub fn household(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// Whether a program of this machine asks for itself, and not for somebody else as a proxy does.
#[must_use]
pub fn from_this_machine(request: &Request) -> bool {
    let connection = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let for_another = ["x-forwarded-for", "forwarded", "x-real-ip", "via"].into_iter().any(|name| request.headers().contains_key(name));
    connection.is_some_and(|ConnectInfo(address)| address.ip().to_canonical().is_loopback()) && !for_another
}

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::from_parts(&parts.extensions, &parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn peer(from: &str, forwarded: &[&str]) -> String {
        let mut request = Request::builder();
        for value in forwarded {
            request = request.header("x-forwarded-for", *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(from.parse::<SocketAddr>().unwrap()));
        Peer::of(&request).0
    }

    #[test]
    fn only_a_proxy_on_this_machine_is_believed_and_only_what_it_wrote_itself() {
        assert_eq!(peer("127.0.0.1:4000", &[]), "127.0.0.1");
        assert_eq!(peer("127.0.0.1:4000", &["198.51.100.1, 203.0.113.7"]), "203.0.113.7");
        assert_eq!(peer("[::1]:4000", &["198.51.100.1", "203.0.113.7"]), "203.0.113.7");
        assert_eq!(peer("[::ffff:127.0.0.1]:4000", &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(peer("127.0.0.1:4000", &["nonsense"]), "127.0.0.1");
        assert_eq!(peer("192.168.1.20:4000", &["203.0.113.7"]), "192.168.1.20");
        assert_eq!(peer("203.0.113.9:4000", &["203.0.113.7"]), "203.0.113.9");
    }

    #[test]
    fn this_machine_asks_for_itself_and_over_itself() {
        let is_ours = |from: &str, field: &str| {
            let request = if field.is_empty() { Request::builder() } else { Request::builder().header(field, "x") };
            let mut request = request.body(Body::empty()).unwrap();
            request.extensions_mut().insert(ConnectInfo(from.parse::<SocketAddr>().unwrap()));
            from_this_machine(&request)
        };
        assert!(is_ours("127.0.0.1:4000", "") && is_ours("[::1]:4000", "") && is_ours("[::ffff:127.0.0.1]:4000", ""));
        assert!(!is_ours("192.168.1.20:4000", "") && !is_ours("[fe80::1]:4000", ""));
        for field in ["x-forwarded-for", "forwarded", "x-real-ip", "via"] {
            assert!(!is_ours("127.0.0.1:4000", field), "{field}");
        }
        assert!(!from_this_machine(&Request::builder().body(Body::empty()).unwrap()), "nobody knows from where");
    }

    #[test]
    fn one_household_of_ipv6_is_one_peer() {
        assert_eq!(peer("[2001:db8:1:2:aaaa::1]:4000", &[]), peer("[2001:db8:1:2:bbbb::9]:4000", &[]));
        assert_ne!(peer("[2001:db8:1:2::1]:4000", &[]), peer("[2001:db8:1:3::1]:4000", &[]));
    }
}
