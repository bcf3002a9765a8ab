//! What an entry carries beside its range: `expirationInstant`, `note`, `owner`.
//!
//! FusionAuth's clients know nothing of these fields and leave them out of what they send back. So a field that is left
//! out stays what it is for an entry of the same range and action, and is taken away by `null` alone: no client makes a
//! temporary entry last for ever by saving what it has read. Only a JSON Patch (RFC 6902) works on the document as it
//! was shown, and there what is left out was removed.

use super::super::call::{Call, MediaType, now};
use super::super::errors::Errors;
use super::super::fields::Fields;
use crate::policy::acl::{Action, Details, IpAcl};
use crate::policy::document::{LONGEST_NOTE, is_remark};
use crate::policy::moment::Moment;
use crate::policy::range::AddressRange;
use crate::store::edit::EntryObject;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// An entry as a request has it.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) range: AddressRange,
    pub(super) action: Action,
    pub(super) fields: Fields<'a>,
}

/// What entries carry already, each to be given away once.
#[derive(Debug)]
pub(super) struct Known {
    details: HashMap<(AddressRange, Action), Vec<Details>>,
    /// Whether what is left out was taken away.
    exact: bool,
    now: Moment,
}

/// A field: left out, or what it is to be.
type Given<T> = Option<Option<T>>;

impl Known {
    /// What the entries of an ACL carry.
    pub(super) fn of(acl: Option<&IpAcl>, call: &Call<'_>) -> Self {
        let exact = call.media_type() == Some(MediaType::JsonPatch);
        Self::as_of(acl, exact, Moment::from_millis(now()))
    }

    fn as_of(acl: Option<&IpAcl>, exact: bool, now: Moment) -> Self {
        let mut details: HashMap<_, Vec<_>> = HashMap::new();
        for detailed in acl.iter().flat_map(|acl| acl.detailed()) {
            let key = (detailed.entry.range, detailed.entry.action);
            details.entry(key).or_default().push(detailed.details.clone());
        }
        Self { details, exact, now }
    }

    /// The entry that is asked for; `None` only with errors.
    pub(super) fn settle(&mut self, asked: Asked<'_>, errors: &mut Errors) -> Option<EntryObject> {
        let Asked { range, action, fields } = asked;
        let expires = instant(&fields, errors);
        let (note, owner) = (remark(&fields, "note", errors), remark(&fields, "owner", errors));
        let (expires, note, owner) = (expires?, note?, owner?);
        let agree = |details: &Details| {
            expires.is_none_or(|expires| details.expires == expires)
                && note.as_ref().is_none_or(|note| details.note == *note)
                && owner.as_ref().is_none_or(|owner| details.owner == *owner)
        };
        let candidates = self.details.get_mut(&(range, action)).filter(|known| !known.is_empty());
        let known = candidates.map(|known| known.remove(known.iter().position(agree).unwrap_or(0)));
        let own = known.clone().filter(|_| !self.exact).unwrap_or_default();
        let details = Details {
            expires: expires.unwrap_or(own.expires),
            note: note.unwrap_or(own.note),
            owner: owner.unwrap_or(own.owner),
        };
        // One that has expired stays what it is, since it may have done so while its ACL was being edited.
        let was = known.and_then(|known| known.expires);
        if details.expires != was && !details.hold_at(self.now) {
            errors.field("invalid", fields.path("expirationInstant"), "this instant is past");
            return None;
        }
        Some(EntryObject { range, action, details })
    }
}

/// `None` only with errors.
fn instant(fields: &Fields<'_>, errors: &mut Errors) -> Option<Given<Moment>> {
    match fields.given("expirationInstant") {
        None => Some(None),
        Some(Value::Null) => Some(Some(None)),
        Some(value) => {
            let moment = value.as_i64().map(Moment::from_millis).filter(|moment| moment.to_toml().is_some());
            if moment.is_none() {
                let message = "expected milliseconds since 1970, up to the year 9999";
                errors.field("invalid", fields.path("expirationInstant"), message);
            }
            moment.map(|moment| Some(Some(moment)))
        }
    }
}

/// `None` only with errors; an empty text is none.
fn remark(fields: &Fields<'_>, name: &str, errors: &mut Errors) -> Option<Given<Arc<str>>> {
    match fields.given(name) {
        None => Some(None),
        Some(Value::Null) => Some(Some(None)),
        Some(Value::String(text)) if text.trim().is_empty() => Some(Some(None)),
        Some(Value::String(text)) if is_remark(text) => Some(Some(Some(text.as_str().into()))),
        Some(_) => {
            let message =
                format!("expected a text of at most {LONGEST_NOTE} characters, without control characters");
            errors.field("invalid", fields.path(name), message);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::acl::{IpAclBuilder, Place};
    use serde_json::json;

    const NOW: i64 = 1000;

    fn details(expires: Option<i64>, note: Option<&str>) -> Details {
        Details { expires: expires.map(Moment::from_millis), note: note.map(Into::into), owner: None }
    }

    /// An ACL in which one address has these details, once for each.
    fn acl(all: &[Details]) -> IpAcl {
        let mut builder =
            IpAclBuilder::new(uuid::Uuid::nil(), "a", Action::Block).as_of(Moment::from_millis(NOW));
        for details in all {
            let place = Place { file: 0, line: 1 };
            builder.push_detailed("192.0.2.1".parse().unwrap(), Action::Allow, (place, details.clone()));
        }
        builder.build()
    }

    fn settled(known: &[Details], exact: bool, asked: &[Value]) -> Result<Vec<Details>, Vec<String>> {
        let acl = acl(known);
        let mut known = Known::as_of(Some(&acl), exact, Moment::from_millis(NOW));
        let mut errors = Errors::default();
        let settled = asked.iter().enumerate().filter_map(|(at, value)| {
            let fields = Fields::item(value, format!("e[{at}]"), &mut errors)?;
            let asked = Asked { range: "192.0.2.1".parse().unwrap(), action: Action::Allow, fields };
            known.settle(asked, &mut errors).map(|entry| entry.details)
        });
        let settled: Vec<_> = settled.collect();
        let codes: Vec<_> = errors.field_errors.values().flatten().map(|item| item.code.clone()).collect();
        if codes.is_empty() { Ok(settled) } else { Err(codes) }
    }

    #[test]
    fn what_is_left_out_stays_and_null_takes_away() {
        let temporary = details(Some(2000), Some("branch"));
        let cases = [
            (json!({}), temporary.clone()),
            (json!({ "expirationInstant": 3000 }), details(Some(3000), Some("branch"))),
            (json!({ "expirationInstant": null }), details(None, Some("branch"))),
            (json!({ "note": "office" }), details(Some(2000), Some("office"))),
            (json!({ "note": "", "expirationInstant": null }), details(None, None)),
        ];
        for (asked, expected) in cases {
            assert_eq!(
                settled(std::slice::from_ref(&temporary), false, std::slice::from_ref(&asked)),
                Ok(vec![expected]),
                "{asked}"
            );
        }
        assert_eq!(settled(&[], false, &[json!({})]), Ok(vec![details(None, None)]), "a new one has nothing");
        assert_eq!(
            settled(&[temporary], true, &[json!({})]),
            Ok(vec![details(None, None)]),
            "an exact document"
        );
    }

    #[test]
    fn of_equal_entries_the_one_that_is_meant_is_taken() {
        let known = [details(Some(2000), None), details(Some(3000), None)];
        let asked = [json!({ "expirationInstant": 3000 }), json!({})];
        assert_eq!(
            settled(&known, false, &asked),
            Ok(vec![details(Some(3000), None), details(Some(2000), None)])
        );
    }

    #[test]
    fn what_has_expired_stays_so_and_nothing_is_born_dead() {
        let expired = details(Some(500), None);
        assert_eq!(settled(std::slice::from_ref(&expired), false, &[json!({})]), Ok(vec![expired.clone()]));
        assert_eq!(
            settled(std::slice::from_ref(&expired), false, &[json!({ "expirationInstant": 500 })]),
            Ok(vec![expired])
        );
        let past = json!({ "expirationInstant": 999 });
        assert_eq!(settled(&[], false, &[past]), Err(vec!["[invalid]e[0].expirationInstant".to_owned()]));
    }

    #[test]
    fn what_is_no_instant_or_no_note_is_refused() {
        for (field, value) in [
            ("expirationInstant", json!("2026-12-01")),
            ("expirationInstant", json!(1.5)),
            ("expirationInstant", json!(i64::MAX)),
            ("note", json!(7)),
            ("owner", json!("a\u{1b}[31m")),
            ("note", json!("x".repeat(LONGEST_NOTE + 1))),
        ] {
            let found = settled(&[], false, &[json!({ field: value })]);
            assert_eq!(found, Err(vec![format!("[invalid]e[0].{field}")]), "{value}");
        }
    }
}
