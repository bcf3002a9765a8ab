//! API keys in a request: where they stand, which of them the policy lists, and the decoy.
//!
//! In: the header fields and the policy's [`ApiKeySources`]. Out: the listed keys ([`listed`]), or the same
//! fields with every listed key exchanged for a random one ([`disguise`]).
//!
//! Each field has a candidate for every reading that an upstream could give it: the value without blanks around
//! it; the scheme in any case; one or more blanks behind it; the first word or all that follows; Base64 in each
//! form of [`base64`]. A reading too many costs a hash; a reading too few would be a way
//! around the ACL.
//!
//! INVARIANT: where one listed key is disguised all of them are, in all readings: an upstream that looked at another
//! place would let the request pass. What cannot be disguised is an error, never forwarded.
//!
//! Keys are not kept, and nothing here prints them.

use super::{Fields, base64};
use crate::policy::subject::{ApiKey, ApiKeyHash};
use crate::policy::{ApiKeySources, Policy};
use ::base64::Engine;
use ::base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use smallvec::SmallVec;
use std::cell::Cell;

mod decoy;

/// A request whose key could not be exchanged: it must be answered, not forwarded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no decoy could be made for an api key")]
pub struct DecoyError;

/// The keys that the policy knows, each once. Where it knows none nothing is hashed.
pub fn listed<'a>(policy: &'a Policy, fields: &Fields) -> SmallVec<[&'a ApiKey; 1]> {
    let mut found: SmallVec<[&'a ApiKey; 1]> = SmallVec::new();
    if policy.knows_api_keys() {
        for (place, value) in places(&policy.rules().api_key_sources, fields) {
            place.candidates(value, &mut |key| {
                let known = policy.api_key(&ApiKeyHash::of(key));
                found.extend(known.filter(|known| !found.iter().any(|other| std::ptr::eq(*other, *known))));
            });
        }
    }
    found
}

/// Whether anything stands where a key may stand that the policy does not list.
pub fn carries_unlisted(policy: &Policy, fields: &Fields) -> bool {
    let mut unlisted = false;
    for (place, value) in places(&policy.rules().api_key_sources, fields) {
        place.candidates(value, &mut |key| {
            unlisted |= !key.is_empty() && policy.api_key(&ApiKeyHash::of(key)).is_none();
        });
    }
    unlisted
}

/// Exchanges each key that the policy knows for a random one of the same shape. Everything else stays.
///
/// # Errors
/// [`DecoyError`]: there is no randomness, or a key has nothing in it that could be exchanged.
pub fn disguise(fields: &mut Fields, policy: &Policy) -> Result<(), DecoyError> {
    let sources = &policy.rules().api_key_sources;
    for name in names(sources) {
        let place = Place::new(sources, name);
        fields.exchange(name, |value| place.disguised(value, &|key| is_listed(policy, key)))?;
    }
    Ok(())
}

/// Does for keys that the policy does not know what [`disguise`] does for those that it knows, and changes nothing:
/// or else an invalid key would be answered sooner than a decoy. Whether there was a key.
pub fn rehearse(fields: &Fields, policy: &Policy) -> bool {
    let mut found = false;
    for (place, value) in places(&policy.rules().api_key_sources, fields) {
        let first = Cell::new(true);
        let disguised = place.disguised(value, &|key| is_listed(policy, key) || first.take());
        found |= disguised.is_ok_and(|value| value.is_some());
    }
    found
}

fn is_listed(policy: &Policy, key: &[u8]) -> bool {
    policy.api_key(&ApiKeyHash::of(key)).is_some()
}

/// A field that may carry keys, and how.
struct Place<'s> {
    whole_value: bool,
    basic_user: Option<&'s str>,
    bearer: bool,
}

/// The names of the fields that may carry keys.
fn names(sources: &ApiKeySources) -> impl Iterator<Item = &str> {
    let own = sources.headers.iter().map(|name| &**name);
    std::iter::once("authorization").chain(own.filter(|name| !is_authorization(name)))
}

fn is_authorization(name: &str) -> bool {
    name.eq_ignore_ascii_case("authorization")
}

fn places<'h>(sources: &'h ApiKeySources, fields: &'h Fields) -> impl Iterator<Item = (Place<'h>, &'h [u8])> {
    names(sources)
        .flat_map(move |name| fields.named(name).map(move |value| (Place::new(sources, name), value)))
}

impl<'s> Place<'s> {
    fn new(sources: &'s ApiKeySources, name: &str) -> Self {
        let authorization = is_authorization(name);
        let named = sources.headers.iter().any(|header| header.eq_ignore_ascii_case(name));
        Self {
            whole_value: named || (authorization && sources.raw_authorization),
            basic_user: sources.basic_user.as_deref().filter(|_| authorization),
            bearer: authorization && sources.bearer,
        }
    }

    fn candidates(&self, value: &[u8], visit: &mut impl FnMut(&[u8])) {
        let value = value.trim_ascii();
        if self.whole_value {
            visit(value);
        }
        let Some((scheme, rest)) = super::subjects::basic::scheme(value) else { return };
        if self.bearer && scheme.eq_ignore_ascii_case(b"bearer") {
            visit(rest);
            if first_word(rest) != rest {
                visit(first_word(rest));
            }
        }
        if scheme.eq_ignore_ascii_case(b"basic") {
            for decoded in base64::readings(rest) {
                self.passwords(&decoded, visit);
            }
        }
    }

    fn passwords(&self, decoded: &[u8], visit: &mut impl FnMut(&[u8])) {
        let Some((user, password)) = split_basic(decoded) else { return };
        if self.basic_user.is_some_and(|name| user.trim_ascii().eq_ignore_ascii_case(name.as_bytes())) {
            visit(password);
            if password.trim_ascii() != password {
                visit(password.trim_ascii());
            }
        }
    }

    /// The value with the keys exchanged that are wanted so; `None`: it has none.
    fn disguised(&self, value: &[u8], wanted: &dyn Fn(&[u8]) -> bool) -> Result<Option<Vec<u8>>, DecoyError> {
        let mut disguised: Option<Vec<u8>> = None;
        for _ in 0..8 {
            let current = disguised.as_deref().unwrap_or(value);
            let mut key: Option<Vec<u8>> = None;
            self.candidates(current, &mut |candidate| {
                if key.is_none() && wanted(candidate) {
                    key = Some(candidate.to_vec());
                }
            });
            let Some(key) = key else { return Ok(disguised) };
            let decoy = decoy::of(&key)?;
            disguised = Some(match replaced(current, &key, &decoy) {
                Some(plain) => plain,
                None => reencoded(current, &key, &decoy).ok_or(DecoyError)?,
            });
        }
        Err(DecoyError)
    }
}

fn split_basic(decoded: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    Some((decoded.get(..colon)?, decoded.get(colon + 1..)?))
}

fn first_word(text: &[u8]) -> &[u8] {
    text.split(u8::is_ascii_whitespace).next().unwrap_or_default()
}

/// The text with each occurrence of the key exchanged; `None`: it does not occur.
fn replaced(text: &[u8], key: &[u8], decoy: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut copied = 0;
    for at in memchr::memmem::find_iter(text, key) {
        out.extend_from_slice(text.get(copied..at)?);
        out.extend_from_slice(decoy);
        copied = at + key.len();
    }
    out.extend_from_slice(text.get(copied..)?);
    if copied == 0 { None } else { Some(out) }
}

/// Basic credentials with the key exchanged, in the form of Base64 in which they came; an odd form becomes a
/// regular one.
fn reencoded(value: &[u8], key: &[u8], decoy: &[u8]) -> Option<Vec<u8>> {
    let (_, credentials) = super::subjects::basic::scheme(value.trim_ascii())?;
    let front = value.len() - credentials.len() - trailing_blanks(value);
    let plain = base64::readings(credentials).iter().find_map(|reading| replaced(reading, key, decoy))?;
    let url_safe = credentials.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let padded = credentials.contains(&b'=') || credentials.len().is_multiple_of(4);
    let engine = match (url_safe, padded) {
        (false, true) => &STANDARD,
        (false, false) => &STANDARD_NO_PAD,
        (true, true) => &URL_SAFE,
        (true, false) => &URL_SAFE_NO_PAD,
    };
    let mut out = value.get(..front)?.to_vec();
    out.extend_from_slice(engine.encode(plain).as_bytes());
    Some(out)
}

fn trailing_blanks(value: &[u8]) -> usize {
    value.len() - value.trim_ascii_end().len()
}

#[cfg(test)]
mod tests;
