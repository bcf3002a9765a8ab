//! From byte offsets to lines that can be shown: spans, lines, columns, excerpts.
//!
//! INVARIANT: an excerpt never holds a secret. What follows `sha256` or a like key, long runs of hex digits, passwords
//! in URLs, and every span that the reader has marked are replaced by asterisks, one for each character, so that
//! columns stay right.

use std::ops::Range;
use std::sync::Arc;

/// Bytes of a file, from `start` up to `end`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// Behind the last byte.
    pub end: usize,
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

/// One line of a file and a place in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Excerpt {
    /// The file, as it was named.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// The line, or what of a long line is around the place, without secrets.
    pub text: String,
    /// The place, as bytes of `text`.
    pub mark: Range<usize>,
}

/// A file while it is read.
#[derive(Debug)]
pub struct Source<'a> {
    name: Arc<str>,
    text: &'a str,
    line_starts: Vec<usize>,
    secrets: Vec<Span>,
}

/// Lines are cut down to this many bytes on either side of the place.
const WINDOW: usize = 100;

impl<'a> Source<'a> {
    /// Prepares a text; cost linear in its length.
    pub fn new(name: &str, text: &'a str) -> Self {
        let breaks = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        Self {
            name: name.into(),
            text,
            line_starts: std::iter::once(0).chain(breaks).collect(),
            secrets: Vec::new(),
        }
    }

    /// The file's name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What must never be shown.
    pub fn hide(&mut self, span: Span) {
        self.secrets.push(span);
    }

    /// The line of a byte, from 1. Cost: logarithmic in the number of lines.
    pub fn line(&self, offset: usize) -> u32 {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        u32::try_from(line).unwrap_or(u32::MAX)
    }

    /// What is written at a span, if it is short.
    pub fn short(&self, span: Span) -> Option<&'a str> {
        self.text.get(span.start..span.end).filter(|text| text.len() <= 40 && !text.contains('\n'))
    }

    /// The span of a line without its end, `line` from 1.
    pub fn line_span(&self, line: u32) -> Span {
        let index = (line as usize).saturating_sub(1);
        let start = self.line_starts.get(index).copied().unwrap_or(self.text.len());
        let next = self.line_starts.get(index + 1).copied().unwrap_or(self.text.len() + 1);
        let content = self.text.get(start..next.saturating_sub(1).max(start)).unwrap_or("");
        Span { start, end: start + content.trim_end_matches('\r').len() }
    }

    /// The line of a span's first byte, the span marked in it (up to the line's end).
    pub fn excerpt(&self, span: Span) -> Excerpt {
        let line = self.line(span.start);
        let bounds = self.line_span(line);
        let start = self.boundary(span.start.clamp(bounds.start, bounds.end));
        let end = self.boundary(span.end.clamp(start, bounds.end));
        let before = self.text.get(bounds.start..start).unwrap_or("");
        let column = u32::try_from(before.chars().count() + 1).unwrap_or(u32::MAX);
        let hidden = self.hidden(bounds);
        let text = masked(self.text.get(bounds.start..bounds.end).unwrap_or(""), &hidden);
        let (text, mark) = window(text, start - bounds.start..end - bounds.start);
        Excerpt { file: Arc::clone(&self.name), line, column, text, mark }
    }

    fn boundary(&self, offset: usize) -> usize {
        (0..=offset).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
    }

    /// The marked secrets in a line, as offsets from its start.
    fn hidden(&self, line: Span) -> Vec<Range<usize>> {
        let overlap = |span: &Span| {
            let (start, end) = (span.start.max(line.start), span.end.min(line.end));
            (start < end).then(|| start - line.start..end - line.start)
        };
        self.secrets.iter().filter_map(overlap).collect()
    }
}

impl Excerpt {
    /// Whether `text` is not the whole line.
    pub(super) fn is_cut(&self) -> bool {
        let before = self.text.get(..self.mark.start).unwrap_or("");
        self.text.ends_with('…') || before.chars().count() + 1 != self.column as usize
    }

    /// A line of another file, which may hold any bytes, and a place in it.
    pub fn of_bytes(file: Arc<str>, line: u32, content: &[u8], place: Range<usize>) -> Self {
        let place = place.start.min(content.len())..place.end.min(content.len());
        let (before, rest) = content.split_at_checked(place.start).unwrap_or((content, &[]));
        let before = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let before = String::from_utf8_lossy(before.strip_prefix(b"\xef\xbb\xbf").unwrap_or(before));
        let rest = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let marked = rest.len().min(place.len());
        let (value, behind) = rest.split_at_checked(marked).unwrap_or((rest, &[]));
        let (value, behind) = (String::from_utf8_lossy(value), String::from_utf8_lossy(behind));
        let column = u32::try_from(before.chars().count() + 1).unwrap_or(u32::MAX);
        let text = masked(&format!("{before}{value}{}", behind.trim_end_matches('\r')), &[]);
        let (text, mark) = window(text, before.len()..before.len() + value.len());
        Self { file, line, column, text, mark }
    }
}

/// A line with everything secret replaced by as many asterisks as it has characters; a masked character keeps its
/// bytes' count, so that offsets stay right.
fn masked(line: &str, hidden: &[Range<usize>]) -> String {
    let mut secret: Vec<Range<usize>> = hidden.to_vec();
    secret.extend(values_of_secret_keys(line));
    secret.extend(long_hex(line));
    secret.extend(url_passwords(line));
    if secret.is_empty() {
        return line.to_owned();
    }
    let hide = |(at, character): (usize, char)| {
        let covered = secret.iter().any(|range| range.contains(&at));
        let quote = matches!(character, '"' | '\'');
        if covered && !quote { "*".repeat(character.len_utf8()) } else { character.to_string() }
    };
    line.char_indices().map(hide).collect()
}

/// What stands behind `sha256 =` and the like, wherever in the line, up to the closing quote or the line's end.
fn values_of_secret_keys(line: &str) -> Vec<Range<usize>> {
    let folded = line.to_ascii_lowercase();
    let mut found = Vec::new();
    for word in ["sha256", "secret", "password", "token ", "token=", "key ", "key="] {
        for (at, _) in folded.match_indices(word) {
            let before = folded.get(..at).and_then(|text| text.chars().next_back());
            if word != "sha256"
                && before.is_some_and(|character| character == '_' || character.is_alphanumeric())
            {
                continue;
            }
            let Some(equals) = folded.get(at..).and_then(|rest| rest.find('=')) else { continue };
            let value = at + equals + 1;
            let rest = line.get(value..).unwrap_or("");
            let opening = rest.find(|character: char| !character.is_whitespace()).unwrap_or(rest.len());
            let Some(quote @ ('"' | '\'')) = rest.get(opening..).and_then(|text| text.chars().next()) else {
                if word == "sha256" {
                    found.push(value..line.len());
                }
                continue;
            };
            let inside = value + opening + 1;
            let length = line.get(inside..).and_then(|text| text.find(quote));
            found.push(inside..length.map_or(line.len(), |length| inside + length));
        }
    }
    found
}

/// Runs of hex digits as long as a hash or half of one.
fn long_hex(line: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, byte) in line.bytes().chain(std::iter::once(b' ')).enumerate() {
        if !byte.is_ascii_hexdigit() {
            if at - start >= 32 {
                found.push(start..at);
            }
            start = at + 1;
        }
    }
    found
}

/// `user:password` in `//user:password@host`.
fn url_passwords(line: &str) -> Vec<Range<usize>> {
    let part = |(at, _): (usize, &str)| {
        let start = at + 2;
        let end = line.get(start..)?.find(['"', '\'', '/', ' ']);
        let authority = line.get(start..end.map_or(line.len(), |end| start + end))?;
        Some(start..start + authority.rfind('@')?)
    };
    line.match_indices("//").filter_map(part).collect()
}

/// Cuts a long line down to what is around the mark.
fn window(line: String, mark: Range<usize>) -> (String, Range<usize>) {
    if line.len() <= 2 * WINDOW {
        return (line, mark);
    }
    let boundary = |offset: usize| (0..=offset).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    let end = boundary(mark.end.min(mark.start + WINDOW));
    let from = boundary(mark.start.saturating_sub(WINDOW));
    let to = boundary(line.len().min(end + WINDOW));
    let (front, back) = (if from > 0 { "…" } else { "" }, if to < line.len() { "…" } else { "" });
    let text = format!("{front}{}{back}", line.get(from..to).unwrap_or(""));
    (text, mark.start - from + front.len()..end - from + front.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_and_columns_are_characters() {
        let source = Source::new("a.toml", "one\ntwo äöü x\r\n\nlast");
        let cases =
            [(0, 1, 1), (3, 1, 4), (4, 2, 1), (8, 2, 5), (10, 2, 6), (15, 2, 9), (19, 4, 1), (23, 4, 5)];
        for (offset, line, column) in cases {
            let excerpt = source.excerpt(Span { start: offset, end: offset + 1 });
            assert_eq!((excerpt.line, excerpt.column), (line, column), "offset {offset}");
        }
    }

    #[test]
    fn spans_beyond_the_text_or_inside_a_character_are_clamped() {
        let source = Source::new("a.toml", "ä");
        for (start, end) in [(0, 1), (1, 1), (1, 2), (2, 9), (7, 9)] {
            let excerpt = source.excerpt(Span { start, end });
            assert!(excerpt.text.get(excerpt.mark).is_some());
        }
    }

    #[test]
    fn a_span_over_several_lines_is_marked_to_the_first_line_s_end() {
        let excerpt = Source::new("a", "x = [\n1]").excerpt(Span { start: 4, end: 8 });
        assert_eq!((excerpt.text.as_str(), excerpt.mark), ("x = [", 4..5));
    }

    #[test]
    fn secrets_are_masked_and_columns_stay() {
        let hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        let stars = "*".repeat(64);
        let cases = [
            (format!("sha256 = \"{hash}\" # x"), format!("sha256 = \"{stars}\" # x")),
            ("sha256 = 'my key' # x".to_owned(), "sha256 = '******' # x".to_owned()),
            ("SHA256=\"open".to_owned(), "SHA256=\"****".to_owned()),
            ("sha256 = open".to_owned(), "sha256 =*****".to_owned()),
            (
                "{ name = \"a\", sha256 = \"b\" }, { sha256 = \"cc\" }".to_owned(),
                "{ name = \"a\", sha256 = \"*\" }, { sha256 = \"**\" }".to_owned(),
            ),
            (format!("sha265 = \"{hash}\""), format!("sha265 = \"{stars}\"")),
            ("key = \"s3cret\"".to_owned(), "key = \"******\"".to_owned()),
            ("url = \"http://me:pw@host/\"".to_owned(), "url = \"http://*****@host/\"".to_owned()),
            ("url = \"http://host/a@b\"".to_owned(), "url = \"http://host/a@b\"".to_owned()),
            ("private_key = \"tls.key\"".to_owned(), "private_key = \"tls.key\"".to_owned()),
            ("allow = [\"10.0.0.0/8\"]".to_owned(), "allow = [\"10.0.0.0/8\"]".to_owned()),
        ];
        for (line, expected) in cases {
            assert_eq!(masked(&line, &[]), expected);
        }
        let range = 1..3;
        assert_eq!(masked("aäb", std::slice::from_ref(&range)), "a**b");
    }

    #[test]
    fn a_marked_secret_is_masked_in_every_line_that_it_covers() {
        let text = "x = '''one\ntwo''' # three";
        let mut source = Source::new("a", text);
        source.hide(Span { start: 4, end: 17 });
        assert_eq!(source.excerpt(Span { start: 0, end: 1 }).text, "x = '''***");
        assert_eq!(source.excerpt(Span { start: 11, end: 12 }).text, "***''' # three");
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let text = format!(
            "allow = [{}\"bad\", {}]",
            "\"192.0.2.1\", ".repeat(1000),
            "\"192.0.2.1\", ".repeat(1000)
        );
        let start = text.find("\"bad\"").unwrap();
        let excerpt = Source::new("a", &text).excerpt(Span { start, end: start + 5 });
        assert_eq!(excerpt.column as usize, start + 1);
        assert_eq!(excerpt.text.get(excerpt.mark.clone()), Some("\"bad\""));
        assert!(excerpt.text.len() < 300);
    }
}
