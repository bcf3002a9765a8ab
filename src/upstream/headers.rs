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
use crate::request::client_names::tells_of_client;
use crate::request::fields::Field;
use crate::request::{Connection, FieldName, RequestHead};
use http::Version;
use http::header::{HeaderMap, HeaderName, HeaderValue};
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
pub(super) fn host(request: &RequestHead) -> Option<&[u8]> {
    match request.target.authority() {
        Some(text) => {
            let bare = text.rsplit_once('@').map_or(text, |(_, bare)| bare);
            Some(bare.as_bytes())
        }
        None => request.fields.get(FieldName::Host).filter(|value| !value.is_empty()),
    }
}

/// Where the fields of a request are written.
pub(super) trait FieldWriter {
    /// A field as it came, and its line if that can be sent as it is.
    fn pass(&mut self, field: &Field<'_>, line: Option<&[u8]>);
    /// A field of ours, its name in lower case.
    fn write(&mut self, name: &str, value: &[u8]);
}

impl FieldWriter for HeaderMap {
    fn pass(&mut self, field: &Field<'_>, _line: Option<&[u8]>) {
        if let (Ok(name), Ok(mut value)) =
            (HeaderName::from_bytes(field.name), HeaderValue::from_bytes(field.value))
        {
            value.set_sensitive(field.sensitive);
            self.append(name, value);
        }
    }

    fn write(&mut self, name: &str, value: &[u8]) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value)) {
            self.append(name, value);
        }
    }
}

/// Writes the fields of the request to upstream, `Host` first, without framing (`Content-Length`,
/// `Transfer-Encoding`). Each is written once: what is ours is never among what is passed on.
pub(super) fn write_request(
    fields: &mut impl FieldWriter,
    (request, hop): (&RequestHead, &HopFields<'_>),
    forwarding: &Forwarding<'_>,
    settings: &config::Upstream,
    (host, wish): (&[u8], Wish),
) {
    let cookies = if request.version == Version::HTTP_2 { joined_cookies(request) } else { None };
    fields.write("host", host);
    for (field, line) in request.fields.lines() {
        let joined = cookies.is_some() && field.known == FieldName::Cookie;
        if !joined
            && is_passed_on(&field, forwarding, settings)
            && !hop.options.remove(field.name, forwarding.decisive)
        {
            fields.pass(&field, line);
        }
    }
    if let Some((value, sensitive)) = &cookies {
        let (known, name) = (FieldName::Cookie, b"cookie".as_slice());
        fields.pass(&Field { known, name, value, sensitive: *sensitive }, None);
    }
    match wish {
        Wish::Tunnel => {
            fields.write("connection", b"upgrade");
            fields.write("upgrade", b"websocket");
        }
        Wish::Response if hop.takes_trailers => {
            fields.write("te", b"trailers");
            fields.write("connection", b"te");
        }
        Wish::Response => {}
    }
    forwarded::write(fields, (hop, host), forwarding, settings.forwarded);
}

fn is_passed_on(field: &Field<'_>, forwarding: &Forwarding<'_>, settings: &config::Upstream) -> bool {
    let is_stripped = |name: &str| settings.strip_headers.iter().any(|stripped| **stripped == *name);
    let trusted = forwarding.peer_trusted;
    if names::USUAL.contain(field.known) {
        return trusted || settings.strip_headers.is_empty() || !is_stripped(field.name());
    }
    if names::ENDING_HERE.contain(field.known) {
        return false;
    }
    let name = field.name();
    let dropped = names::is_hop_by_hop(field.name)
        || names::is_never_sent(name)
        || names::is_double(name, forwarding.decisive)
        || (!trusted && tells_of_client(name));
    !dropped && (trusted || !is_stripped(name))
}

/// Several cookie fields as one, and whether it is sensitive; `None` where there are no several.
fn joined_cookies(request: &RequestHead) -> Option<(Vec<u8>, bool)> {
    let mut crumbs = request.fields.iter().filter(|field| field.known == FieldName::Cookie);
    let (first, second) = (crumbs.next()?, crumbs.next()?);
    let mut joined = Vec::with_capacity(256);
    joined.extend_from_slice(first.value);
    for crumb in std::iter::once(second).chain(crumbs) {
        joined.extend_from_slice(b"; ");
        joined.extend_from_slice(crumb.value);
    }
    Some((joined, first.sensitive))
}

#[cfg(test)]
mod tests;
