//! An urlencoded body (WHATWG URL §5.1), read strictly: it was looked into because a block depends on it.
//!
//! In: the body. Out: fields for the collector; an error for an escape that is none and for anything that is not
//! UTF-8, of any field, since an upstream may differ over all that follows. So it may over a byte order mark, which some
//! drop (`iconv-lite` under Express) and others take for part of the first name.

use super::collector::{Collector, Place};
use super::content_type;
use super::names;
use super::query;
use crate::request::error::RequestError;
use std::borrow::Cow;

/// Reads a body; `place` is [`Place::Naming`] for a POST, else [`Place::Doubtful`].
pub(super) fn read(collector: &mut Collector<'_, '_>, place: Place, body: &[u8]) -> Result<(), RequestError> {
    let text = std::str::from_utf8(body).map_err(|_| RequestError::Malformed("a form that is not UTF-8"))?;
    if text.starts_with('\u{feff}') {
        return Err(RequestError::Malformed("a byte order mark before a form"));
    }
    let invalid = RequestError::Malformed("an invalid escape in a form");
    for (number, pair) in text.split('&').enumerate() {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (query::decode(name).ok_or(invalid)?, query::decode(value).ok_or(invalid)?);
        content_type::check_own_charset(&name, value.as_bytes())?;
        if let Some(field) = names::classify(&name) {
            collector.field(query::place_at(number, place), field, Cow::Owned(value.into_owned()));
        }
        query::read_odd(collector, pair);
    }
    Ok(())
}
