//! `allow` and `block`: texts, and tables for what carries more than a range.
//!
//! One list in, an [`EntryValue`] for each item out; ranges are parsed later, where duplicates are known. Texts in details
//! have no control characters: they are shown on terminals.

use super::reader::{At, Section, Value, wrong_type};
use crate::policy::acl::{Action, Details};
use crate::policy::finding::{Code, Report, Span};
use crate::policy::moment::{Moment, MomentError};
use std::sync::Arc;
use toml::de::DeValue;

/// An item of `allow` or `block`.
#[derive(Debug)]
pub struct EntryValue<'d> {
    /// What it does.
    pub action: Action,
    /// The range, as it is written.
    pub range: At<&'d str>,
    /// What it carries beside the range.
    pub details: Details,
    /// Where it says when it expires.
    pub expires: Option<Span>,
}

/// The longest note, in characters.
pub const LONGEST_NOTE: usize = 1000;

/// Reads a list of the table; one that is absent is empty.
pub(super) fn entries<'d>(
    table: &mut Section<'d>,
    report: &mut Report<'_>,
    (key, name): (&'static str, &'static str),
    action: Action,
) -> Vec<EntryValue<'d>> {
    let items = table.items(report, key, "a list of addresses, CIDR blocks and ranges");
    items.into_iter().filter_map(|item| entry(report, item, (name, action))).collect()
}

fn entry<'d>(
    report: &mut Report<'_>,
    item: Value<'d>,
    (name, action): (&'static str, Action),
) -> Option<EntryValue<'d>> {
    match item.value {
        DeValue::String(text) => {
            let range = At { value: &**text, span: item.span };
            Some(EntryValue { action, range, details: Details::default(), expires: None })
        }
        DeValue::Table(table) => {
            let mut table = Section::new(name, table, item.span);
            let entry = detailed(&mut table, report, action);
            table.finish(report);
            entry
        }
        _ => wrong_type(
            report,
            item,
            &format!("an item of `{name}`"),
            "an address, CIDR block or range in quotes, or `{ range = \"…\", … }`",
        ),
    }
}

fn detailed<'d>(table: &mut Section<'d>, report: &mut Report<'_>, action: Action) -> Option<EntryValue<'d>> {
    let range = table.string(report, "range");
    if !table.has("range") {
        table.missing(report, "range", "`range = \"…\"`: an address, a CIDR block or a range");
    }
    let expires = moment(table, report, "expires");
    let details = Details {
        expires: expires.map(|expires| expires.value),
        note: remark(table, report, "note"),
        owner: remark(table, report, "owner"),
    };
    Some(EntryValue { action, range: range?, details, expires: expires.map(|expires| expires.span) })
}

/// A date-time with its offset.
fn moment(table: &mut Section<'_>, report: &mut Report<'_>, key: &'static str) -> Option<At<Moment>> {
    let value = table.value(report, key)?;
    let path = table.path(key);
    let DeValue::Datetime(written) = value.value else {
        let found = wrong_type(report, value, &path, "a date and time, such as `2026-12-01T00:00:00Z`");
        if let DeValue::String(text) = value.value
            && text.parse::<Moment>().is_ok()
        {
            report.amend(|finding| finding.hint(format!("write it without quotes: `{text}`")));
        }
        return found;
    };
    match Moment::of_toml(written) {
        Ok(moment) => Some(value.map(|_| moment)),
        Err(error) => {
            let message = format!("`{path}` is no moment: {error}");
            let finding = report.add(Code::BadMoment, value.span, message);
            finding.label("expected a date, a time and an offset");
            if let Some(hint) = completed(written, error) {
                finding.hint(hint);
            }
            None
        }
    }
}

/// What could have been meant.
fn completed(written: &toml::value::Datetime, error: MomentError) -> Option<String> {
    let date = written.date?;
    let time = written.time.map_or_else(|| "00:00:00".to_owned(), |time| time.to_string());
    let hint = format!("in UTC it would be `{date}T{time}Z`, an hour east of it `{date}T{time}+01:00`");
    matches!(error, MomentError::Without(_)).then_some(hint)
}

fn remark(table: &mut Section<'_>, report: &mut Report<'_>, key: &'static str) -> Option<Arc<str>> {
    let text = table.filled(report, key)?;
    if is_remark(text.value) {
        return Some(text.value.into());
    }
    let message = format!("`{}` cannot be shown", table.path(key));
    let expected = format!("expected at most {LONGEST_NOTE} characters, and no control characters");
    report.add(Code::OutOfRange, text.span, message).label(expected);
    None
}

/// Whether a text can be a note or the name of an owner.
pub fn is_remark(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= LONGEST_NOTE && !text.contains(char::is_control)
}
