//! The fields of what goes upstream, and of what comes back.
//!
//! Request: the client's head and who the client is in; a fresh, unambiguous set of fields out. Hop-by-hop fields
//! are dropped (RFC 9110 §7.6.1), forwarding fields rebuilt (see [`super::forwarded`]), framing left to whoever
//! knows the body. Response: hop-by-hop fields dropped, everything else as it came, in its order.
//!
//! Decisions:
//! 1. `Host` is what the client asked for (`:authority`, an absolute target's authority, or `Host`), never the
//!    upstream's own name: identity servers build issuers, links and cookies from it, and tell tenants apart by it.
//!    Only a request without any (HTTP/1.0) gets the upstream's authority.
//! 2. `Connection` removes neither what we generate nor what a decision was made on.
//! 3. `Expect` is dropped: the client gets its 100 from us as soon as its body is read.
//! 4. `Proxy-Authorization` is dropped: the upstream is an origin, and no proxy here asked for it.
//! 5. Cookie crumbs of HTTP/2 are joined (RFC 9113 §8.2.3).
//!
//! Deliberately absent: `Via` (it names us, and makes some servers withhold compression) and `Max-Forwards`.

use super::forwarded;
use super::hop::HopFields;
use super::names;
use crate::config;
use crate::enforce::Permit;
use crate::request::Connection;
use crate::request::client_names::tells_of_client;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Version, request};
use std::net::IpAddr;
use std::sync::Arc;

/// Who sends a request, as it was decided on.
#[derive(Debug)]
pub struct Forwarding<'a> {
    /// Proof that the policy allows it.
    pub permit: Permit,
    /// The connection that it came by: peer, our end, scheme. A WebSocket tunnel is left there.
    pub connection: &'a Connection,
    /// The client address; `None`: undetermined.
    pub client: Option<IpAddr>,
    /// Whether the peer is a trusted proxy.
    pub peer_trusted: bool,
    /// Fields that decisions are made on by configuration (such as the header of an API key), which `Connection`
    /// must not remove. `Authorization`, `Cookie` and anything that looks like a key are so already.
    pub decisive: &'a [Arc<str>],
}

/// Whether a request asks for a tunnel that we are willing to open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wish {
    /// An ordinary exchange.
    Response,
    /// A WebSocket.
    Tunnel,
}

/// The authority that the request is for: of the target if it has one (RFC 9112 §3.2.2), else `Host`.
pub(super) fn host(parts: &request::Parts) -> Option<HeaderValue> {
    match parts.uri.authority() {
        Some(authority) => {
            let text = authority.as_str();
            let bare = text.rsplit_once('@').map_or(text, |(_, bare)| bare);
            HeaderValue::from_str(bare).ok()
        }
        None => parts.headers.get(header::HOST).filter(|value| !value.is_empty()).cloned(),
    }
}

/// Where the fields of a request are written.
pub(super) trait Fields {
    /// A field as it came.
    fn pass(&mut self, name: &HeaderName, value: &HeaderValue);
    /// A field of ours, in ASCII.
    fn write(&mut self, name: &HeaderName, value: &[u8]);
}

impl Fields for HeaderMap {
    fn pass(&mut self, name: &HeaderName, value: &HeaderValue) {
        self.append(name, value.clone());
    }

    fn write(&mut self, name: &HeaderName, value: &[u8]) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            self.append(name, value);
        }
    }
}

/// Writes the fields of the request to upstream, `Host` first, without framing (`Content-Length`,
/// `Transfer-Encoding`). Each is written once: what is ours is never among what is passed on.
pub(super) fn write_request(
    fields: &mut impl Fields,
    (parts, hop): (&request::Parts, &HopFields<'_>),
    forwarding: &Forwarding<'_>,
    settings: &config::Upstream,
    (host, wish): (&HeaderValue, Wish),
) {
    let cookies = if parts.version == Version::HTTP_2 { joined_cookies(&parts.headers) } else { None };
    fields.pass(&header::HOST, host);
    for (name, value) in &parts.headers {
        let joined = cookies.is_some() && name == header::COOKIE;
        if !joined
            && is_passed_on(name.as_str(), forwarding, settings)
            && !hop.options.remove(name.as_str().as_bytes(), forwarding.decisive)
        {
            fields.pass(name, value);
        }
    }
    if let Some(cookies) = cookies {
        fields.pass(&header::COOKIE, &cookies);
    }
    match wish {
        Wish::Tunnel => {
            fields.write(&header::CONNECTION, b"upgrade");
            fields.write(&header::UPGRADE, b"websocket");
        }
        Wish::Response if hop.takes_trailers => {
            fields.write(&header::TE, b"trailers");
            fields.write(&header::CONNECTION, b"te");
        }
        Wish::Response => {}
    }
    forwarded::write(fields, (hop, host), forwarding, settings.forwarded);
}

fn is_passed_on(name: &str, forwarding: &Forwarding<'_>, settings: &config::Upstream) -> bool {
    let is_stripped = || settings.strip_headers.iter().any(|stripped| **stripped == *name);
    let dropped = !names::is_usual(name)
        && (names::is_hop_by_hop(name.as_bytes())
            || matches!(name, "host" | "content-length" | "expect")
            || names::is_generated(name)
            || names::is_never_sent(name)
            || names::is_double(name, forwarding.decisive)
            || (!forwarding.peer_trusted && tells_of_client(name)));
    !dropped && (forwarding.peer_trusted || !is_stripped())
}

/// Several cookie fields as one; `None` where there are no several.
fn joined_cookies(fields: &HeaderMap) -> Option<HeaderValue> {
    let mut crumbs = fields.get_all(header::COOKIE).iter();
    let (first, second) = (crumbs.next()?, crumbs.next()?);
    let mut joined = Vec::with_capacity(256);
    joined.extend_from_slice(first.as_bytes());
    for crumb in std::iter::once(second).chain(crumbs) {
        joined.extend_from_slice(b"; ");
        joined.extend_from_slice(crumb.as_bytes());
    }
    let mut value = HeaderValue::from_maybe_shared(bytes::Bytes::from(joined)).ok()?;
    value.set_sensitive(first.is_sensitive());
    Some(value)
}

#[cfg(test)]
mod tests;
