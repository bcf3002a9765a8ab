//! `allow_files` and `block_files`: paths, and tables for lists in another format than plain.
//!
//! One list in, a [`ListValue`] for each item out. A key that means nothing to the format is refused.

use super::reader::{At, Section, Value, wrong_type};
use crate::policy::acl::Action;
use crate::policy::finding::{Code, Report};
use crate::policy::list::{Column, ListFormat, Selection, Table};
use toml::de::DeValue;

/// An item of `allow_files` or `block_files`.
#[derive(Debug)]
pub struct ListValue<'d> {
    /// What its entries do.
    pub action: Action,
    /// The file.
    pub path: At<&'d str>,
    /// How it is to be read.
    pub format: ListFormat,
    /// The places of `services`, each, in their order.
    pub services: Vec<At<&'d str>>,
    /// The places of `regions`, each, in their order.
    pub regions: Vec<At<&'d str>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Plain,
    Aws,
    Csv,
}

const FORMATS: &[(&str, Word)] = &[("plain", Word::Plain), ("aws", Word::Aws), ("csv", Word::Csv)];

/// The keys that one format alone has.
const KEYS: [(&str, Word, &str); 4] = [
    ("services", Word::Aws, "aws"),
    ("regions", Word::Aws, "aws"),
    ("column", Word::Csv, "csv"),
    ("delimiter", Word::Csv, "csv"),
];

/// Reads a list of the table; one that is absent is empty.
pub(super) fn lists<'d>(
    table: &mut Section<'d>,
    report: &mut Report<'_>,
    (key, name): (&'static str, &'static str),
    action: Action,
) -> Vec<ListValue<'d>> {
    let items = table.items(report, key, "a list of files");
    items.into_iter().filter_map(|item| list(report, item, (name, action))).collect()
}

fn list<'d>(
    report: &mut Report<'_>,
    item: Value<'d>,
    (name, action): (&'static str, Action),
) -> Option<ListValue<'d>> {
    match item.value {
        DeValue::String(path) => {
            let path = At { value: &**path, span: item.span };
            let (format, services, regions) = (ListFormat::Plain, Vec::new(), Vec::new());
            Some(ListValue { action, path, format, services, regions })
        }
        DeValue::Table(table) => {
            let mut table = Section::new(name, table, item.span);
            let list = formatted(&mut table, report, action);
            table.finish(report);
            list
        }
        _ => {
            let expected = "a path in quotes, or `{ path = \"…\", format = \"…\" }`";
            wrong_type(report, item, &format!("an item of `{name}`"), expected)
        }
    }
}

fn formatted<'d>(table: &mut Section<'d>, report: &mut Report<'_>, action: Action) -> Option<ListValue<'d>> {
    let path = table.filled(report, "path");
    if !table.has("path") {
        table.missing(report, "path", "`path = \"…\"`: a file, relative to this one");
    }
    let word = match table.word(report, "format", FORMATS) {
        Some(word) => Some(word.value),
        None => (!table.has("format")).then_some(Word::Plain),
    };
    let texts = |texts: Option<At<Vec<At<&'d str>>>>| texts.map(|texts| texts.value).unwrap_or_default();
    let (services, regions) =
        (texts(table.strings(report, "services")), texts(table.strings(report, "regions")));
    let (column, delimiter) = (column(table, report), delimiter(table, report));
    let word = word?;
    for (key, of, format) in KEYS {
        if of != word
            && let Some(span) = table.key_span(key)
        {
            let message = format!("`{}` is for the format `{format}` alone", table.path(key));
            report.add(Code::Conflict, span, message).label("this list has another format");
        }
    }
    if word == Word::Csv && !table.has("column") {
        table.missing(report, "column", "`column = 1`, or the name of a column in quotes");
    }
    let owned = |names: &[At<&str>]| names.iter().map(|name| name.value.to_owned()).collect();
    let format = match word {
        Word::Plain => ListFormat::Plain,
        Word::Aws => ListFormat::Aws(Selection { services: owned(&services), regions: owned(&regions) }),
        Word::Csv => ListFormat::Csv(Table { column: column?, delimiter }),
    };
    Some(ListValue { action, path: path?, format, services, regions })
}

/// `None` only where that is reported, or where there is none.
fn column(table: &mut Section<'_>, report: &mut Report<'_>) -> Option<Column> {
    let value = table.value(report, "column")?;
    match value.value {
        DeValue::Integer(_) => {
            let number = table.integer(report, "column", 1..=10_000)?;
            usize::try_from(number.value).ok().map(Column::Number)
        }
        DeValue::String(name) if !name.trim().is_empty() => Some(Column::Named(name.trim().to_owned())),
        _ => wrong_type(report, value, &table.path("column"), "a number from 1, or the name of a column"),
    }
}

/// A comma, unless the table says otherwise.
fn delimiter(table: &mut Section<'_>, report: &mut Report<'_>) -> u8 {
    let Some(text) = table.string(report, "delimiter") else { return b',' };
    match text.value.as_bytes() {
        [byte @ (b'\t' | b' '..=b'~')] if !byte.is_ascii_alphanumeric() && !b"\"#.:/-".contains(byte) => {
            *byte
        }
        _ => {
            let message = format!("`{}` cannot part columns", text.value.escape_debug());
            report
                .add(Code::OutOfRange, text.span, message)
                .label("expected one character, such as `;` or `\\t`");
            b','
        }
    }
}
