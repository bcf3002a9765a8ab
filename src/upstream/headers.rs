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
use super::names;
use crate::config;
use crate::enforce::Permit;
use crate::http1::says;
use crate::request::client_names::tells_of_client;
use crate::request::{Connection, RequestError};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Version, request};
use smallvec::SmallVec;
use std::net::IpAddr;
use std::sync::Arc;

/// Options of `Connection` that we are willing to look at; far more than any honest client names.
const CONNECTION_OPTIONS: usize = 16;

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
///
/// # Errors
/// [`RequestError::Malformed`] if `Connection` names more options than anybody needs.
pub(super) fn write_request(
    fields: &mut impl Fields,
    parts: &request::Parts,
    forwarding: &Forwarding<'_>,
    settings: &config::Upstream,
    (host, wish): (&HeaderValue, Wish),
) -> Result<(), RequestError> {
    let options = connection_options(&parts.headers)?;
    let cookies = if parts.version == Version::HTTP_2 { joined_cookies(&parts.headers) } else { None };
    fields.pass(&header::HOST, host);
    for (name, value) in &parts.headers {
        let joined = cookies.is_some() && name == header::COOKIE;
        if !joined
            && is_passed_on(name, forwarding, settings)
            && !is_removed_by(&options, name, forwarding.decisive)
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
        Wish::Response if says(&parts.headers, &header::TE, b"trailers") => {
            fields.write(&header::TE, b"trailers");
            fields.write(&header::CONNECTION, b"te");
        }
        Wish::Response => {}
    }
    forwarded::write(fields, (&parts.headers, host), forwarding, settings.forwarded);
    Ok(())
}

fn is_passed_on(name: &HeaderName, forwarding: &Forwarding<'_>, settings: &config::Upstream) -> bool {
    let dropped = names::is_hop_by_hop(name)
        || name == header::HOST
        || name == header::CONTENT_LENGTH
        || name == header::EXPECT
        || names::is_generated(name)
        || names::is_never_sent(name)
        || names::is_double(name.as_str(), forwarding.decisive)
        || (!forwarding.peer_trusted
            && (tells_of_client(name.as_str())
                || settings.strip_headers.iter().any(|stripped| **stripped == *name.as_str())));
    !dropped
}

/// The options that `Connection` names, without those that are dropped anyway.
fn connection_options(fields: &HeaderMap) -> Result<SmallVec<[&[u8]; 4]>, RequestError> {
    let mut options = SmallVec::new();
    for value in fields.get_all(header::CONNECTION) {
        for option in value.as_bytes().split(|&sign| sign == b',').map(<[u8]>::trim_ascii) {
            let usual: [&[u8]; 5] = [b"", b"keep-alive", b"close", b"upgrade", b"te"];
            if usual.iter().any(|usual| usual.eq_ignore_ascii_case(option)) {
                continue;
            }
            if options.len() == CONNECTION_OPTIONS {
                return Err(RequestError::Malformed("too many options in `Connection`"));
            }
            options.push(option);
        }
    }
    Ok(options)
}

fn is_removed_by(options: &[&[u8]], name: &HeaderName, decisive: &[Arc<str>]) -> bool {
    options.iter().any(|option| option.eq_ignore_ascii_case(name.as_str().as_bytes()))
        && !names::is_end_to_end(name.as_str())
        && !decisive.iter().any(|known| **known == *name.as_str())
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

/// Takes the hop-by-hop fields off a response, and what HTTP forbids in it; the rest stays as it is, in its order.
///
/// # Errors
/// Says why the response cannot be passed on safely: its length is ambiguous (RFC 9112 §6.3), or its transfer coding
/// is one that we could not take off.
pub(super) fn clean_response(response: &mut http::response::Parts) -> Result<(), &'static str> {
    let fields = &response.headers;
    let bodiless = response.status == http::StatusCode::NO_CONTENT || response.status.is_informational();
    if !check_framing(fields, bodiless)? {
        return Ok(());
    }
    let Ok(options) = connection_options(fields) else {
        return Err("too many options in `Connection`");
    };
    // Removing from a `HeaderMap` in place would change its order.
    let mut kept = HeaderMap::with_capacity(fields.len());
    for (name, value) in fields {
        if !(names::is_hop_by_hop(name)
            || is_removed_by(&options, name, &[])
            || (bodiless && name == header::CONTENT_LENGTH))
        {
            kept.append(name.clone(), value.clone());
        }
    }
    drop(options);
    response.headers = kept;
    Ok(())
}

/// Checks that a response's length is not ambiguous. Whether any field is to be dropped; one pass, for looking names
/// up would cost a hash each.
fn check_framing(fields: &HeaderMap, bodiless: bool) -> Result<bool, &'static str> {
    let (mut lengths, mut codings, mut dirty) = (0, 0, false);
    for (name, value) in fields {
        let value = value.as_bytes();
        if name == header::CONTENT_LENGTH {
            lengths += 1;
            dirty |= bodiless;
            if lengths > 1 || value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
                return Err("`Content-Length` is not one number");
            }
        } else if name == header::TRANSFER_ENCODING {
            codings += 1;
            if codings > 1 || !value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                return Err("a transfer coding other than `chunked`");
            }
        }
        dirty |= names::is_hop_by_hop(name);
    }
    if lengths > 0 && codings > 0 {
        return Err("both `Content-Length` and `Transfer-Encoding`");
    }
    Ok(dirty)
}

#[cfg(test)]
mod tests;
