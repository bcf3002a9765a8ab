//! Claims of a JWT (RFC 7519), read and not verified: they are hints, and those of a request object stand for parameters.
//!
//! In: text that may be a JWT. Out: fields for the collector. Garbage is ignored: an upstream does not take it
//! either. Encrypted tokens cannot be read. At most [`LIMIT`] of the payload is read.

use super::basic;
use super::collector::{Collector, Place};
use super::json::{self, Duplicates};
use super::names::{self, Kind, Token};
use crate::request::base64;
use std::borrow::Cow;

/// The most of a payload that is read, in bytes.
const LIMIT: usize = 16 * 1024;

/// Reads the token of an `Authorization` field, whatever its scheme.
pub(super) fn from_authorization(collector: &mut Collector<'_, '_>, value: &[u8]) {
    let value = value.trim_ascii();
    let token = basic::scheme(value).map_or(value, |(_, token)| token);
    if let Ok(token) = std::str::from_utf8(token) {
        read(collector, Token::Identity, token);
    }
}

/// Reads a token and adds what it names.
pub(super) fn read(collector: &mut Collector<'_, '_>, token: Token, text: &str) {
    let Some(payload) = text.split('.').nth(1).filter(|payload| !payload.is_empty()) else { return };
    let encoded = payload.as_bytes();
    let encoded = encoded.get(..LIMIT / 3 * 4).unwrap_or(encoded);
    let payload = base64::decode_url(encoded);
    // An error ends the walk; what came before it has been shown.
    let _ = json::walk(&String::from_utf8_lossy(&payload), Duplicates::Show, &mut |found| {
        let value = found.value.map(|value| Cow::Owned(value.to_owned()));
        claim(collector, token, found.name, value);
    });
}

fn claim<'a>(collector: &mut Collector<'a, '_>, token: Token, name: &str, value: Option<Cow<'a, str>>) {
    let is = |claim: &str| name.trim().eq_ignore_ascii_case(claim);
    let names_client = is("aud") || is("azp") || is("applicationId");
    let is_client = token == Token::Assertion && (is("sub") || is("iss"));
    let field = names::classify(name);
    match (field, value) {
        (_, Some(value)) if names_client || is_client => collector.application(Place::Hint, value),
        (_, Some(value)) if is("tid") => collector.tenant(Place::Hint, value),
        (Some(field), value)
            if matches!(field.kind, Kind::ClientId | Kind::TenantId) || token == Token::Request =>
        {
            collector.sight(field);
            // A token in a token would have no end.
            if let (Some(value), false) = (value, matches!(field.kind, Kind::Token(_))) {
                let place = if token == Token::Request { Place::Doubtful } else { Place::Hint };
                collector.field(place, field, value);
            }
        }
        _ => {}
    }
}
