//! One column of a table (RFC 4180): comma-separated values, or separated by something else, fields in quotes or not.
//!
//! A column is named by its number, and then the first line is a value as every other; or by its header, and then the
//! first line is the headers. So no header is ever taken for a value, nor a value for a header. Lines that begin with
//! `#` are comments; every other line has as many fields as the first. An empty field is an error: it could stand for
//! nobody or for everybody.

use super::{BadLine, BadLines, Column, ListError, Sink, Table};
use crate::policy::acl::Place;
use crate::policy::range::{AddressRange, RangeError};
use csv::{ByteRecord, ErrorKind, Position, ReaderBuilder};
use std::ops::Range;

/// Reads a table.
pub(super) fn read(text: &[u8], table: &Table, sink: Sink<'_>) -> BadLines {
    let Sink { builder, action, file } = sink;
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .delimiter(table.delimiter)
        .comment(Some(b'#'))
        .from_reader(text);
    let mut bad = BadLines::default();
    let mut record = ByteRecord::new();
    let mut column = match &table.column {
        Column::Number(number) => Some(*number),
        Column::Named(_) => None,
    };
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                bad.add(broken(text, &error));
                // Behind a line with too many or too few fields the others can be read.
                if matches!(error.kind(), ErrorKind::UnequalLengths { .. }) {
                    continue;
                }
                break;
            }
        }
        let place = Line::of(text, record.position());
        let read = match (column, &table.column) {
            (None, Column::Named(name)) => find(&record, name).map(|found| {
                column = Some(found);
                None
            }),
            (column, _) => value(&record, column.unwrap_or(0)).map(Some),
        };
        match read {
            Ok(Some(range)) => {
                builder.push(range, action, Place { file, line: place.number });
            }
            Ok(None) => {}
            Err(error) => {
                let span = place.span_of(column.and_then(|column| record.get(column.checked_sub(1)?)));
                bad.add(BadLine { line: place.number, span, error });
                if column.is_none() {
                    break;
                }
            }
        }
    }
    bad
}

/// The number of the column with this name, from 1.
fn find(headers: &ByteRecord, name: &str) -> Result<usize, ListError> {
    let mut found = (1..).zip(headers).filter(|(_, header)| header.trim_ascii() == name.as_bytes());
    match (found.next(), found.next()) {
        (Some((at, _)), None) => Ok(at),
        (None, _) => Err(ListError::NoHeader(name.into())),
        (Some(_), Some(_)) => Err(ListError::TwoHeaders(name.into())),
    }
}

fn value(record: &ByteRecord, column: usize) -> Result<AddressRange, ListError> {
    let field = column.checked_sub(1).and_then(|at| record.get(at)).ok_or(ListError::NoColumn(column))?;
    let field = field.trim_ascii();
    let text = str::from_utf8(field).map_err(|_| RangeError::not_text(field))?;
    Ok(text.parse::<AddressRange>()?)
}

/// A line of a table.
struct Line<'b> {
    number: u32,
    start: usize,
    text: &'b [u8],
}

impl<'b> Line<'b> {
    fn of(text: &'b [u8], position: Option<&Position>) -> Self {
        let number = position.map_or(1, |position| u32::try_from(position.line()).unwrap_or(u32::MAX));
        let start = position.and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(0);
        // The position of a line behind blank ones or comments is that of the first of these.
        let rest = text.get(start..).unwrap_or_default();
        let mut skipped = 0;
        let mut lines = rest.split_inclusive(|byte| *byte == b'\n');
        let line = loop {
            match lines.next() {
                Some(line) if line.trim_ascii().is_empty() || line.starts_with(b"#") => skipped += line.len(),
                line => break line.unwrap_or_default(),
            }
        };
        let lines_skipped = memchr::memchr_iter(b'\n', rest.get(..skipped).unwrap_or_default()).count();
        let number = number.saturating_add(u32::try_from(lines_skipped).unwrap_or(u32::MAX));
        Self { number, start: start + skipped, text: line.trim_ascii_end() }
    }

    /// Where a field stands, or the whole line where that cannot be said.
    fn span_of(&self, field: Option<&[u8]>) -> Range<usize> {
        let field = field.map(<[u8]>::trim_ascii).filter(|field| !field.is_empty());
        let at = field.and_then(|field| Some((memchr::memmem::find(self.text, field)?, field.len())));
        let (at, length) = at.unwrap_or((0, self.text.len()));
        self.start + at..self.start + at + length
    }
}

fn broken(text: &[u8], error: &csv::Error) -> BadLine {
    let line = Line::of(text, error.position());
    let message = match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("this line has {len} columns, those before it have {expected_len}")
        }
        _ => error.to_string(),
    };
    BadLine { line: line.number, span: line.span_of(None), error: ListError::Table(message.into()) }
}

#[cfg(test)]
mod tests {
    use super::super::{ListFormat, read_list};
    use super::*;
    use crate::policy::acl::{Action, IpAclBuilder};

    /// Line, value and message of what is wrong.
    type Wrong = Vec<(u32, String, String)>;

    fn read(text: &str, column: Column) -> (Vec<(String, u32)>, Wrong) {
        let mut builder = IpAclBuilder::new(uuid::Uuid::nil(), "a", Action::Block);
        let sink = Sink { builder: &mut builder, action: Action::Allow, file: 1 };
        let bad = read_list(text.as_bytes(), &ListFormat::Csv(Table { column, delimiter: b',' }), sink);
        let shown = bad
            .shown
            .into_iter()
            .map(|bad| (bad.line, text.get(bad.span).unwrap().to_owned(), bad.error.to_string()));
        let shown = shown.collect();
        let acl = builder.build();
        (acl.entries().map(|entry| (entry.range.to_string(), entry.place.line)).collect(), shown)
    }

    fn good(text: &str, column: Column) -> Vec<(String, u32)> {
        let (entries, bad) = read(text, column);
        assert!(bad.is_empty(), "{text:?} {bad:?}");
        entries
    }

    #[test]
    fn columns_are_read() {
        let named = || Column::Named("network".into());
        let cases = [
            ("192.0.2.1\n", Column::Number(1), vec![("192.0.2.1", 1)]),
            (
                "x,192.0.2.1\r\ny,\"192.0.2.2\"\r\n",
                Column::Number(2),
                vec![("192.0.2.1", 1), ("192.0.2.2", 2)],
            ),
            (
                "# a comment, with a comma\n\n192.0.2.1-192.0.2.9,a\n#x\n\n2001:db8::/32,\"b\nc\"\n192.0.2.77 , d",
                Column::Number(1),
                vec![("192.0.2.1-192.0.2.9", 3), ("192.0.2.77", 8), ("2001:db8::/32", 6)],
            ),
            ("geoname,network\n7,192.0.2.0/24\n", named(), vec![("192.0.2.0/24", 2)]),
            ("\u{feff}network,geoname\n192.0.2.0/24,7\n", named(), vec![("192.0.2.0/24", 2)]),
            ("network\n", named(), vec![]),
            ("", Column::Number(1), vec![]),
        ];
        for (text, column, expected) in cases {
            let expected: Vec<_> =
                expected.iter().map(|(range, line)| ((*range).to_owned(), *line)).collect();
            assert_eq!(good(text, column), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_doubtful_is_refused_at_its_place() {
        let named = || Column::Named("network".into());
        let cases = [
            ("network,x\n192.0.2.1,y\n", Column::Number(1), (1, "network", "`network` is not an IP address")),
            ("x,192.0.2.1\ny,\n", Column::Number(2), (2, "y,", "empty")),
            ("x,192.0.2.1\n", Column::Number(3), (1, "x,192.0.2.1", "no column 3")),
            ("x,192.0.2.1\n\ny\nz,192.0.2.2\n", Column::Number(2), (3, "y", "this line has 1 columns")),
            ("a,b\n192.0.2.1,x\n", named(), (1, "a,b", "named `network`")),
            ("network,network\n192.0.2.1,x\n", named(), (1, "network,network", "more than one column")),
            ("Network\n192.0.2.1\n", named(), (1, "Network", "named `network`")),
            ("#\n192.0.2.5/24\n", Column::Number(1), (2, "192.0.2.5/24", "host bits")),
            ("192.0.2.1;x\n", Column::Number(1), (1, "192.0.2.1;x", "is not an IP address")),
        ];
        for (text, column, (line, value, message)) in cases {
            let (_, bad) = read(text, column);
            let [(found_line, found_value, found)] = &bad[..] else { panic!("{text:?} {bad:?}") };
            assert_eq!((*found_line, found_value.as_str()), (line, value), "{text:?}");
            assert!(found.contains(message), "{found}");
        }
    }
}
