//! The user of `Authorization: Basic` (RFC 7617), who is the client at a token endpoint (RFC 6749 §2.3.1).
//!
//! In: the field's value. Out: the user as a naming value, percent-decoded as RFC 6749 has it encoded. What an upstream
//! would read that does not decode it is a hint, and so is each reading of Base64 that is not of the standard form.
//! The password is not looked at.

use super::collector::{Collector, Place};
use super::names::{Field, Kind};
use super::query;
use crate::request::base64;
use std::borrow::Cow;

/// Scheme and credentials of an `Authorization` value without blanks around it (RFC 9110 §11.4).
pub(in crate::request) fn scheme(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = value.iter().position(u8::is_ascii_whitespace)?;
    Some((value.get(..blank)?, value.get(blank..)?.trim_ascii()))
}

/// Adds the user, if the scheme is `Basic` in any case.
pub(super) fn read(collector: &mut Collector<'_, '_>, value: &[u8]) {
    let Some((scheme, credentials)) = scheme(value.trim_ascii()) else { return };
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return;
    }
    for decoded in base64::readings(credentials) {
        let colon = decoded.iter().position(|byte| *byte == b':');
        let regular = colon.is_some() && base64::is_standard(credentials);
        let place = if regular { Place::Naming } else { Place::Doubtful };
        let user = decoded.get(..colon.unwrap_or(decoded.len())).unwrap_or_default();
        add(collector, place, &String::from_utf8_lossy(user));
    }
}

fn add(collector: &mut Collector<'_, '_>, place: Place, user: &str) {
    collector.sight(Field { kind: Kind::ClientId, exact: true });
    match query::decode(user).filter(|plain| plain != user) {
        Some(plain) => {
            collector.application(place, Cow::Owned(plain.into_owned()));
            collector.application(Place::Hint, Cow::Owned(user.to_owned()));
        }
        None => collector.application(place, Cow::Owned(user.to_owned())),
    }
}
