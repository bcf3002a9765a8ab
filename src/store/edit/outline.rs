//! Where the tables of a file stand: text → an [`Outline`] of its headers, with the lines that belong to each.
//!
//! Read line by line, strings and brackets skipped over, so that a file of 100,000 tables costs some milliseconds and
//! no allocation for each. The text must be valid TOML 1.1, which the front door says; of any other text the outline
//! is some outline, and what an edit makes of it is checked by the front door again.
//!
//! What belongs to a table: the comments directly above its header, its lines, and the comments directly below its
//! last line unless they stand directly above the next header. A blank line parts.

use memchr::{memchr, memchr2};
use std::ops::Range;

/// A kind of table that the policy is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    IpAcl,
    ApiKey,
    Tenant,
    Application,
    ResourceServer,
    Path,
    Admin,
}

impl Kind {
    /// In the order in which a file has them.
    const ALL: [(&'static str, Self); 7] = [
        ("ip_acl", Self::IpAcl),
        ("api_key", Self::ApiKey),
        ("tenant", Self::Tenant),
        ("application", Self::Application),
        ("resource_server", Self::ResourceServer),
        ("path", Self::Path),
        ("admin", Self::Admin),
    ];

    /// The key of its tables.
    pub(super) fn key(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(key, _)| key)
    }

    fn of(key: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == key).map(|(_, kind)| *kind)
    }
}

/// A header and the lines below it, as offsets into the text.
#[derive(Clone, Debug)]
pub(super) struct Section {
    /// What it is a table of, if that is of interest here.
    pub(super) kind: Option<Kind>,
    /// Whether it begins a table of its kind (`[[ip_acl]]`) rather than being part of one (`[ip_acl.data]`).
    pub(super) opens: bool,
    /// Where its own comments begin, or the header if it has none.
    pub(super) lead: usize,
    /// Where the header's line begins.
    pub(super) header: usize,
    /// Behind its last line, comments that belong to it included.
    pub(super) end: usize,
}

/// The sections of a text, in order.
#[derive(Debug)]
pub(super) struct Outline {
    sections: Vec<Section>,
}

impl Outline {
    /// Cost: linear in the text.
    pub(super) fn of(text: &str) -> Self {
        let mut sections: Vec<Section> = Vec::new();
        let mut comments = None;
        for line in Lines::of(text) {
            match line.what {
                What::Blank => comments = None,
                What::Comment => {
                    let start = *comments.get_or_insert(line.range.start);
                    // The comments are the section's, until a header claims them.
                    if let Some(section) = sections.last_mut()
                        && section.end == line.range.start
                    {
                        section.end = line.range.end;
                    }
                    comments = Some(start);
                }
                What::Header => {
                    let lead = comments.take().unwrap_or(line.range.start);
                    if let Some(last) = sections.last_mut() {
                        last.end = last.end.min(lead);
                    }
                    let (kind, opens) = heading(text.get(line.range.clone()).unwrap_or_default());
                    let Range { start: header, end } = line.range;
                    sections.push(Section { kind, opens, lead, header, end });
                }
                What::Statement => {
                    comments = None;
                    if let Some(section) = sections.last_mut() {
                        section.end = line.range.end;
                    }
                }
            }
        }
        Self { sections }
    }

    /// The sections of the nth table of a kind: its own and those of tables within it.
    pub(super) fn table(&self, kind: Kind, nth: usize) -> impl Iterator<Item = &Section> {
        let mut count = 0_usize;
        self.of_kind(kind).filter(move |section| {
            count += usize::from(section.opens);
            count == nth + 1
        })
    }

    /// How many tables of a kind there are.
    pub(super) fn count(&self, kind: Kind) -> usize {
        self.of_kind(kind).filter(|section| section.opens).count()
    }

    /// The sections of a kind, in order.
    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Section> {
        self.sections.iter().filter(move |section| section.kind == Some(kind))
    }

    /// Behind which section a new table of a kind stands best: the last of its kind, else of the nearest kind before
    /// it; `None` is the end of the file.
    pub(super) fn place_for(&self, kind: Kind) -> Option<&Section> {
        let at = Kind::ALL.iter().position(|(_, other)| *other == kind)?;
        Kind::ALL.iter().take(at + 1).rev().find_map(|(_, kind)| self.of_kind(*kind).last())
    }
}

/// The kind that a header's line names, and whether it begins a table of it.
fn heading(line: &str) -> (Option<Kind>, bool) {
    let line = line.trim_start();
    let double = line.starts_with("[[");
    let inner = line.trim_start_matches('[');
    let Some(end) = memchr(b']', inner.as_bytes()) else { return (None, false) };
    let inner = inner.get(..end).unwrap_or_default().trim();
    if let Some(kind) = Kind::of(inner) {
        return (Some(kind), double || kind == Kind::Admin);
    }
    if !inner.contains(['.', '"', '\'']) {
        return (None, false);
    }
    let Ok(path) = toml_edit::Key::parse(inner) else { return (None, false) };
    let kind = path.first().and_then(|key| Kind::of(key.get()));
    (kind, kind.is_some() && path.len() == 1 && double)
}

/// What a line, or the lines of one value, are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    Blank,
    Comment,
    Header,
    Statement,
}

/// One or more whole lines, line end included.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) what: What,
    pub(super) range: Range<usize>,
}

/// Cuts a text into lines; a value over several lines is one.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: if text.starts_with('\u{feff}') { 3 } else { 0 } }
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let start = self.at;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let what = match rest.get(blanks) {
            None | Some(b'\n' | b'\r') => What::Blank,
            Some(b'#') => What::Comment,
            Some(b'[') => What::Header,
            Some(_) => What::Statement,
        };
        let end = match what {
            What::Blank | What::Comment => line_end(self.text, start),
            What::Header | What::Statement => statement_end(self.text, start),
        };
        self.at = end;
        Some(Line { what, range: start..end })
    }
}

/// Behind the end of the line that an offset is in.
pub(super) fn line_end(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    memchr(b'\n', rest).map_or(text.len(), |end| at + end + 1)
}

/// Where the line that an offset is in begins.
pub(super) fn line_start(text: &[u8], at: usize) -> usize {
    memchr::memrchr(b'\n', text.get(..at).unwrap_or_default()).map_or(0, |end| end + 1)
}

/// Behind the line on which a header, or a key with its value, ends.
fn statement_end(text: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while let Some(byte) = text.get(at) {
        match byte {
            b'\n' if depth == 0 => return at + 1,
            b'#' => {
                // Up to the line's end, which may be the statement's.
                let end = line_end(text, at);
                if depth == 0 {
                    return end;
                }
                at = end;
                continue;
            }
            b'"' | b'\'' => {
                at = string_end(text, at, *byte);
                continue;
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// Behind the string that begins at an offset (TOML 1.1, *String*).
pub(super) fn string_end(text: &[u8], start: usize, quote: u8) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let long = rest.starts_with(&[quote; 3]);
    let mut at = start + if long { 3 } else { 1 };
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let found = if quote == b'"' { memchr2(quote, b'\\', rest) } else { memchr(quote, rest) };
        let Some(found) = found else { return text.len() };
        at += found;
        match text.get(at) {
            Some(b'\\') => at += 2,
            _ if !long => return at + 1,
            _ if text.get(at..).is_some_and(|rest| rest.starts_with(&[quote; 3])) => {
                // Up to two quotes may stand directly before the closing three.
                let extra = text.get(at + 3..).unwrap_or_default();
                return at + 3 + extra.iter().take(2).take_while(|byte| **byte == quote).count();
            }
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests;
