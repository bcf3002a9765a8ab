//! A typed reader of TOML tables: takes a key, checks type and range, and reports what is wrong with its place.
//!
//! TOML table in, values with their [`Span`] out. Every key that was not asked for is an unknown key. A value that is
//! wrong is reported once and then absent, so that one mistake is one finding.

use super::quantity::{parse_duration, parse_size};
use crate::policy::finding::{Code, Report, Span};
use smallvec::SmallVec;
use std::ops::RangeInclusive;
use std::time::Duration;
use toml::de::{DeTable, DeValue};

/// A value and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl<T> At<T> {
    /// Another value at the same place.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> At<U> {
        At { value: change(self.value), span: self.span }
    }
}

/// A value of the document.
pub type Value<'d> = At<&'d DeValue<'d>>;

/// A table that is being read.
#[derive(Debug)]
pub struct Section<'d> {
    name: &'static str,
    table: &'d DeTable<'d>,
    span: Span,
    asked: SmallVec<[&'static str; 16]>,
}

impl<'d> Section<'d> {
    /// A table; `name` is its path for messages, empty for the root.
    pub fn new(name: &'static str, table: &'d DeTable<'d>, span: Span) -> Self {
        Self { name, table, span, asked: SmallVec::new() }
    }

    /// Where the table stands: its header.
    pub fn span(&self) -> Span {
        self.span
    }

    /// `section.key`, for messages.
    pub fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// The value of a key, of whatever type.
    pub fn value(&mut self, report: &mut Report<'_>, key: &'static str) -> Option<Value<'d>> {
        self.asked.push(key);
        report.asked(self.name, key);
        let value = self.table.get(key)?;
        Some(At { value: value.get_ref(), span: value.span().into() })
    }

    /// Where a key's name stands.
    pub fn key_span(&self, key: &str) -> Option<Span> {
        self.table.get_key_value(key).map(|(key, _)| key.span().into())
    }

    /// Whether the table has a key.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A text.
    pub fn string(&mut self, report: &mut Report<'_>, key: &'static str) -> Option<At<&'d str>> {
        let value = self.value(report, key)?;
        as_string(report, value, &|| self.path(key))
    }

    /// A text that is not empty.
    pub fn filled(&mut self, report: &mut Report<'_>, key: &'static str) -> Option<At<&'d str>> {
        let text = self.string(report, key)?;
        if text.value.trim().is_empty() {
            report.add(Code::Empty, text.span, format!("`{}` is empty", self.path(key)));
            return None;
        }
        Some(text)
    }

    /// True or false.
    pub fn boolean(&mut self, report: &mut Report<'_>, key: &'static str) -> Option<bool> {
        let value = self.value(report, key)?;
        match value.value {
            DeValue::Boolean(boolean) => Some(*boolean),
            _ => wrong_type(report, value, &self.path(key), "`true` or `false`"),
        }
    }

    /// A whole number.
    pub fn integer(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        range: RangeInclusive<u64>,
    ) -> Option<At<u64>> {
        let value = self.value(report, key)?;
        let DeValue::Integer(_) = value.value else {
            return wrong_type(report, value, &self.path(key), "a whole number");
        };
        let number = as_u64(value.value);
        let expected = format!("{} to {}", range.start(), range.end());
        in_range(report, value.map(|_| number), &self.path(key), (range, &expected))
    }

    /// A duration such as `10s`.
    pub fn duration(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let value = self.value(report, key)?;
        let path = self.path(key);
        let DeValue::String(text) = value.value else {
            let found = wrong_type(report, value, &path, "a duration in quotes");
            if let DeValue::Integer(number) = value.value {
                report.amend(|finding| finding.hint(format!("give it a unit: `\"{number}s\"`")));
            }
            return found;
        };
        let Some(duration) = parse_duration(text) else {
            let message = format!("`{path}` is no duration: `{text}`");
            report
                .add(Code::BadDuration, value.span, message)
                .label("expected a number and `ms`, `s`, `m` or `h`");
            return None;
        };
        let expected = format!("{:?} to {:?}", range.start(), range.end());
        in_range(report, value.map(|_| Some(duration)), &path, (range, &expected))
            .map(|duration| duration.value)
    }

    /// A size such as `32KiB`, or a number of bytes.
    pub fn size(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        let value = self.value(report, key)?;
        let path = self.path(key);
        let size = match value.value {
            DeValue::Integer(_) => as_u64(value.value),
            DeValue::String(text) => match parse_size(text) {
                Some(size) => Some(size),
                None => {
                    let message = format!("`{path}` is no size: `{text}`");
                    let expected = "expected a number and `B`, `KiB` or `MiB`, or a number of bytes";
                    report.add(Code::BadSize, value.span, message).label(expected);
                    return None;
                }
            },
            _ => return wrong_type(report, value, &path, "a size such as `\"32KiB\"`, or a number of bytes"),
        };
        let expected = format!("{} to {} bytes", range.start(), range.end());
        in_range(report, value.map(|_| size), &path, (range, &expected)).map(|size| size.value)
    }

    /// One of several words.
    pub fn word<T: Copy>(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<At<T>> {
        let text = self.string(report, key)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text.value) {
            return Some(text.map(|_| *value));
        }
        let suggestion = report.suggest(text.value, words.iter().map(|(word, _)| *word));
        let message = format!("`{}` cannot be `{}`", self.path(key), text.value);
        let expected = list(words.iter().map(|(word, _)| *word), "or");
        let finding = report.add(Code::UnknownWord, text.span, message).label(format!("expected {expected}"));
        finding.hint = suggestion;
        None
    }

    /// A list of texts; a single text is not taken for a list.
    pub fn strings(&mut self, report: &mut Report<'_>, key: &'static str) -> Option<At<Vec<At<&'d str>>>> {
        let items = self.list(report, key, "a list of texts")?;
        let item = |item| as_string(report, item, &|| format!("an item of `{}`", self.path(key)));
        let strings = items.value.into_iter().filter_map(item).collect();
        Some(At { value: strings, span: items.span })
    }

    /// The items of a list, of whatever type; one that is absent is empty.
    pub fn items(&mut self, report: &mut Report<'_>, key: &'static str, expected: &str) -> Vec<Value<'d>> {
        self.list(report, key, expected).map(|items| items.value).unwrap_or_default()
    }

    fn list(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        expected: &str,
    ) -> Option<At<Vec<Value<'d>>>> {
        let value = self.value(report, key)?;
        let DeValue::Array(items) = value.value else {
            let found = wrong_type(report, value, &self.path(key), expected);
            if let DeValue::String(text) = value.value {
                report.amend(|finding| finding.hint(format!("put it in brackets: `[\"{text}\"]`")));
            }
            return found;
        };
        let item =
            |item: &'d toml::Spanned<DeValue<'d>>| At { value: item.get_ref(), span: item.span().into() };
        Some(value.map(|_| items.iter().map(item).collect()))
    }

    /// A table within this one.
    pub fn section(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        name: &'static str,
    ) -> Option<Self> {
        let value = self.value(report, key)?;
        match value.value {
            DeValue::Table(table) => Some(Section::new(name, table, value.span)),
            _ => wrong_type(report, value, &self.path(key), "a table"),
        }
    }

    /// A list of tables, `[[key]]`.
    pub fn sections(&mut self, report: &mut Report<'_>, key: &'static str, name: &'static str) -> Vec<Self> {
        let Some(value) = self.value(report, key) else { return Vec::new() };
        let path = self.path(key);
        let DeValue::Array(items) = value.value else {
            wrong_type::<()>(report, value, &path, "a list of tables");
            if matches!(value.value, DeValue::Table(_)) {
                report.amend(|finding| {
                    finding.hint(format!("write the header with two brackets: `[[{path}]]`"))
                });
            }
            return Vec::new();
        };
        let mut sections = Vec::with_capacity(items.len());
        for item in items.iter() {
            let span = item.span().into();
            match item.get_ref() {
                DeValue::Table(table) => sections.push(Section::new(name, table, span)),
                value => {
                    wrong_type::<()>(report, At { value, span }, &format!("an item of `{path}`"), "a table");
                }
            }
        }
        sections
    }

    /// Every key with its value, for tables whose keys are the user's.
    pub fn entries(&mut self) -> Vec<(At<&'d str>, Value<'d>)> {
        let entry = |(key, value): (&'d toml::Spanned<_>, &'d toml::Spanned<DeValue<'d>>)| {
            let key: &'d toml::Spanned<std::borrow::Cow<'d, str>> = key;
            (
                At { value: &**key.get_ref(), span: key.span().into() },
                At { value: value.get_ref(), span: value.span().into() },
            )
        };
        self.table.iter().map(entry).collect()
    }

    /// Reports a key that is not there.
    pub fn missing(&self, report: &mut Report<'_>, key: &str, expected: &str) {
        let message = format!("`{}` is missing", self.path(key));
        report.add(Code::MissingKey, self.span, message).label(format!("expected {expected}"));
    }

    /// Reports every key that was not asked for.
    pub fn finish(self, report: &mut Report<'_>) {
        if self.table.iter().all(|(key, _)| self.asked.contains(&&**key.get_ref())) {
            return;
        }
        for (key, value) in self.table {
            let word = &**key.get_ref();
            if self.asked.contains(&word) {
                continue;
            }
            if matches!(value.get_ref(), DeValue::String(_)) && self.holds_secrets() {
                report.hide(value.span().into());
            }
            let unused = self.asked.iter().copied().filter(|key| !self.table.contains_key(*key));
            let suggestion = report.suggest(word, unused);
            let place = if self.name.is_empty() { "the file".to_owned() } else { format!("`{}`", self.name) };
            let message = format!("{place} has no key `{word}`");
            let mut expected = self.asked.clone();
            expected.sort_unstable();
            expected.dedup();
            let hint =
                suggestion.unwrap_or_else(|| format!("known keys: {}", list(expected.into_iter(), "and")));
            report.add(Code::UnknownKey, key.span().into(), message).label("unknown key").hint(hint);
        }
    }

    /// A key under a wrong name may well be a key in the clear.
    fn holds_secrets(&self) -> bool {
        matches!(self.name, "api_key" | "admin.api_keys")
    }
}

/// Reports a value of the wrong type.
pub fn wrong_type<T>(report: &mut Report<'_>, value: Value<'_>, path: &str, expected: &str) -> Option<T> {
    let found = match value.value.type_str() {
        "string" => "a text",
        "integer" => "a whole number",
        "float" => "a fraction",
        "boolean" => "a boolean",
        "datetime" => "a date or time",
        "array" => "a list",
        _ => "a table",
    };
    let path = if path.starts_with("an item") { path.to_owned() } else { format!("`{path}`") };
    let message = format!("{path} is {found}");
    report.add(Code::WrongType, value.span, message).label(format!("expected {expected}"));
    None
}

/// A text, or a finding.
pub fn as_string<'d>(
    report: &mut Report<'_>,
    value: Value<'d>,
    path: &dyn Fn() -> String,
) -> Option<At<&'d str>> {
    match value.value {
        DeValue::String(text) => Some(At { value: text, span: value.span }),
        _ => wrong_type(report, value, &path(), "a text in quotes"),
    }
}

fn as_u64(value: &DeValue<'_>) -> Option<u64> {
    let DeValue::Integer(integer) = value else { return None };
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn in_range<T: PartialOrd + Copy>(
    report: &mut Report<'_>,
    value: At<Option<T>>,
    path: &str,
    (range, expected): (RangeInclusive<T>, &str),
) -> Option<At<T>> {
    match value.value.filter(|number| range.contains(number)) {
        Some(number) => Some(At { value: number, span: value.span }),
        None => {
            let found = report.source().short(value.span).unwrap_or("this");
            let message = format!("`{path}` cannot be {found}");
            report.add(Code::OutOfRange, value.span, message).label(format!("expected {expected}"));
            None
        }
    }
}

/// `a, b or c`, each in backticks.
pub fn list<'w>(words: impl Iterator<Item = &'w str>, last: &str) -> String {
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((only, [])) => only.clone(),
        Some((end, front)) => format!("{} {last} {end}", front.join(", ")),
        None => "nothing".to_owned(),
    }
}
