//! List files: addresses, CIDR blocks and ranges in the formats in which people have them, straight into an
//! [`IpAclBuilder`].
//!
//! Bytes and a [`ListFormat`] in, entries into the builder, [`BadLines`] out. What is not understood is never dropped:
//! whoever reads a list with bad lines must refuse it.
//!
//! | format | what it is |
//! | --- | --- |
//! | [plain](mod@plain) | a value a line, `#` and `;` comments: `.netset`, `.ipset`, DROP lists, Cloudflare's texts |
//! | [aws](mod@aws) | the JSON of `ip-ranges.json`, all of it or some services and regions |
//! | [csv](mod@csv) | one column of a table |
//!
//! A format is never guessed, as a guess could take half of a list for the whole. It is only hinted at
//! ([`hint`]).

mod aws;
mod csv;
mod plain;

pub use plain::PlainReader;

use super::acl::{Action, IpAclBuilder};
use super::range::RangeError;
use std::ops::Range;

/// How the lines of a list file are to be read.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ListFormat {
    /// A value a line.
    Plain,
    /// `ip-ranges.json`.
    Aws(Selection),
    /// One column of a table.
    Csv(Table),
}

/// What of `ip-ranges.json` counts; an empty list is everything.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Selection {
    /// Names of services, such as `CLOUDFRONT`.
    pub services: Vec<String>,
    /// Names of regions, such as `eu-central-1`.
    pub regions: Vec<String>,
}

/// Where in a table the values are.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Table {
    /// The column.
    pub column: Column,
    /// What parts the columns.
    pub delimiter: u8,
}

/// A column of a table.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Column {
    /// By number, from 1; the table has no header.
    Number(usize),
    /// By the name that its header has in the first line.
    Named(String),
}

/// Where a list is read into.
#[derive(Debug)]
pub struct Sink<'b> {
    /// The ACL.
    pub builder: &'b mut IpAclBuilder,
    /// What every entry does.
    pub action: Action,
    /// The file's index, for [`Place`](super::acl::Place).
    pub file: u16,
}

/// This many bad lines are shown; the rest is counted.
pub const SHOWN_BAD_LINES: usize = 20;

/// Why a place of a list cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ListError {
    /// A value is no range.
    #[error(transparent)]
    Range(#[from] RangeError),
    /// It is not the JSON that it should be.
    #[error("this is not an `ip-ranges.json`: {0}")]
    Json(Box<str>),
    /// It is no table.
    #[error("this is not a table: {0}")]
    Table(Box<str>),
    /// A line has no such column.
    #[error("there is no column {0} in this line")]
    NoColumn(usize),
    /// No header has the name.
    #[error("no column of the first line is named `{0}`")]
    NoHeader(Box<str>),
    /// More than one header has the name.
    #[error("more than one column of the first line is named `{0}`")]
    TwoHeaders(Box<str>),
}

/// A place that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadLine {
    /// Counted from 1.
    pub line: u32,
    /// The value, in bytes of the file.
    pub span: Range<usize>,
    /// What is wrong with it.
    pub error: ListError,
}

/// The places of a list that cannot be read.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[must_use]
pub struct BadLines {
    /// The first of them, at most [`SHOWN_BAD_LINES`].
    pub shown: Vec<BadLine>,
    /// How many more there are.
    pub more: usize,
    /// Selected services that the list does not have, and those that it has.
    pub services: Unknown,
    /// Selected regions that the list does not have, and those that it has.
    pub regions: Unknown,
}

/// Names that a list does not have.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Unknown {
    /// Those that were asked for, by number.
    pub asked: Vec<usize>,
    /// Those that there are.
    pub there: Vec<String>,
}

impl BadLines {
    /// Whether everything was understood.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty() && self.services.asked.is_empty() && self.regions.asked.is_empty()
    }

    fn add(&mut self, bad: BadLine) {
        if self.shown.len() < SHOWN_BAD_LINES {
            self.shown.push(bad);
        } else {
            self.more += 1;
        }
    }

    fn of(line: u32, span: Range<usize>, error: ListError) -> Self {
        Self { shown: vec![BadLine { line, span, error }], ..Self::default() }
    }
}

/// Reads a list file, every entry with the same action.
///
/// Cost: linear; about as fast as memory for plain IPv4.
pub fn read_list(bytes: &[u8], format: &ListFormat, sink: Sink<'_>) -> BadLines {
    let text = without_mark(bytes);
    let mut bad = match format {
        ListFormat::Plain => return plain::read(bytes, sink),
        ListFormat::Aws(selection) => aws::read(text, selection, sink),
        ListFormat::Csv(table) => csv::read(text, table, sink),
    };
    let mark = bytes.len() - text.len();
    for bad in &mut bad.shown {
        bad.span = bad.span.start + mark..bad.span.end + mark;
    }
    bad
}

/// What a file that cannot be read in a format may be.
pub fn hint(bytes: &[u8], format: &ListFormat, bad: &BadLine) -> Option<&'static str> {
    let start = without_mark(bytes).trim_ascii_start();
    let value = bytes.get(bad.span.clone()).unwrap_or_default();
    match format {
        _ if bytes.starts_with(b"\x1f\x8b") => Some("it is compressed: unpack it first"),
        ListFormat::Plain if start.starts_with(b"{") => Some(
            "it looks like JSON: Amazon's `ip-ranges.json` is read by `{ path = \"…\", format = \"aws\" }`",
        ),
        ListFormat::Plain if value.contains(&b',') => Some(
            "it looks like a table: `{ path = \"…\", format = \"csv\", column = 1 }` reads the first column",
        ),
        ListFormat::Plain if value.starts_with(b"add ") || value.starts_with(b"create ") => Some(
            "it looks like the output of `ipset save`: keep the addresses alone, as `ipset list` has them",
        ),
        ListFormat::Csv(Table { column: Column::Number(_), .. }) if bad.line == 1 => {
            Some("a table with a header needs the column's name: `column = \"network\"`")
        }
        ListFormat::Csv(Table { delimiter: b',', .. }) if value.contains(&b';') || value.contains(&b'\t') => {
            Some("the columns seem to be parted by something else: `delimiter = \";\"`")
        }
        ListFormat::Plain | ListFormat::Aws(_) | ListFormat::Csv(_) => None,
    }
}

/// Without a byte order mark.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Counts lines towards places that come in order.
#[derive(Debug)]
struct Lines<'b> {
    bytes: &'b [u8],
    at: usize,
    line: u32,
}

impl<'b> Lines<'b> {
    fn of(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0, line: 1 }
    }

    /// The line of an offset, from 1. Cost: linear in the way from the last one; a way back counts from the start.
    fn of_offset(&mut self, offset: usize) -> u32 {
        if offset < self.at {
            *self = Self::of(self.bytes);
        }
        let way = self.bytes.get(self.at..offset).unwrap_or_default();
        let lines = memchr::memchr_iter(b'\n', way).count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.at = offset;
        self.line
    }
}

#[cfg(test)]
mod tests;
