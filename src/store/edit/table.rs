//! One table of the file, edited key by key: layout and comments of everything else stay to the byte.
//!
//! The table's own lines in, [`Splices`] of the file out. Read with `toml_edit`, which knows where each key and value
//! stands; a value is written in the place of the old one, a new key on a line of its own behind the keys that it
//! belongs to, indented as they are. Nothing is ever rendered anew.

use super::array;
use super::entries::ListEdit;
use super::outline::{Section, line_end, line_start};
use super::splice::Splices;
use std::ops::Range;
use toml_edit::{Document, Item, Table as TomlTable, Value};

/// A table that is written in a way that cannot be edited.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Unfit;

/// One table of the file.
#[derive(Debug)]
pub(super) struct Table<'t> {
    text: &'t str,
    key: &'static str,
    lines: Range<usize>,
    document: Document<&'t str>,
    newline: &'static str,
    splices: Splices,
}

/// How line ends are written: as the first one is.
pub(super) fn newline_of(text: &str) -> &'static str {
    match memchr::memchr(b'\n', text.as_bytes()).and_then(|end| text.as_bytes().get(end.checked_sub(1)?)) {
        Some(b'\r') => "\r\n",
        _ => "\n",
    }
}

impl<'t> Table<'t> {
    /// The table that a section of the text opens.
    pub(super) fn open(text: &'t str, section: &Section) -> Result<Self, Unfit> {
        let key = section.kind.ok_or(Unfit)?.key();
        let lines = section.header..section.end;
        let document = Document::parse(text.get(lines.clone()).ok_or(Unfit)?).map_err(|_| Unfit)?;
        let table =
            Self { text, key, lines, document, newline: newline_of(text), splices: Splices::default() };
        table.items()?;
        Ok(table)
    }

    /// The changes so far.
    pub(super) fn finish(self) -> Splices {
        self.splices
    }

    fn items(&self) -> Result<&TomlTable, Unfit> {
        match self.document.as_table().get(self.key) {
            Some(Item::ArrayOfTables(tables)) => tables.get(0).ok_or(Unfit),
            Some(Item::Table(table)) => Ok(table),
            _ => Err(Unfit),
        }
    }

    /// Whether there is a key, in whatever form.
    pub(super) fn has(&self, key: &str) -> bool {
        self.items().is_ok_and(|items| items.contains_key(key))
    }

    /// Writes a value, in the place of the old one or behind the last of the keys named `behind`.
    pub(super) fn set(&mut self, key: &str, value: impl Into<Value>, behind: &[&str]) -> Result<(), Unfit> {
        let value = written(value);
        match self.items()?.get(key) {
            None => self.insert(key, &value, behind),
            Some(Item::Value(old)) => {
                let span = self.place(old.span())?;
                self.splices.replace(span, value);
                Ok(())
            }
            Some(_) => {
                self.remove(key)?;
                self.insert(key, &value, behind)
            }
        }
    }

    /// Takes a key out, with its line; one that is not there is fine.
    pub(super) fn remove(&mut self, key: &str) -> Result<(), Unfit> {
        let Some((name, item)) = self.items()?.get_key_value(key) else { return Ok(()) };
        let mut places = Vec::new();
        match item {
            Item::Value(value) => places.push((name.span(), value.span())),
            Item::Table(table) if table.is_dotted() => {
                for (path, value) in table.get_values() {
                    places.push((path.first().and_then(|key| key.span()), value.span()));
                }
            }
            _ => return Err(Unfit),
        }
        for (name, value) in places {
            let lines = self.lines_of(self.place(name)?.start, self.place(value)?.end);
            self.splices.remove(lines);
        }
        Ok(())
    }

    /// Writes a list that keeps what it has in common with the old one.
    pub(super) fn change_list(&mut self, key: &str, edit: &ListEdit, behind: &[&str]) -> Result<(), Unfit> {
        if edit.drop.is_empty() && edit.change.is_empty() && edit.add.is_empty() {
            return Ok(());
        }
        let Some(item) = self.items()?.get(key) else {
            let value = array::written(&edit.add, self.newline);
            return self.insert(key, &value, behind);
        };
        let list = item.as_array().ok_or(Unfit)?;
        let whole = self.place(list.span())?;
        let mut elements = Vec::with_capacity(list.len());
        for element in list {
            elements.push(self.place(element.span())?);
        }
        let layout = array::Layout { text: self.text, whole, elements, newline: self.newline };
        layout.change(edit, &mut self.splices);
        Ok(())
    }

    /// The elements of a list; an absent one is empty.
    pub(super) fn list(&self, key: &str) -> Result<Vec<&Value>, Unfit> {
        let Some(item) = self.items()?.get(key) else { return Ok(Vec::new()) };
        Ok(item.as_array().ok_or(Unfit)?.iter().collect())
    }

    fn insert(&mut self, key: &str, value: &str, behind: &[&str]) -> Result<(), Unfit> {
        let mut anchor = None;
        for (name, item) in self.items()?.iter().filter(|(name, _)| behind.contains(name)) {
            let (Some((key, _)), Item::Value(value)) = (self.items()?.get_key_value(name), item) else {
                continue;
            };
            let lines = self.lines_of(self.place(key.span())?.start, self.place(value.span())?.end);
            if anchor.as_ref().is_none_or(|anchor: &Range<usize>| anchor.end <= lines.start) {
                anchor = Some(lines);
            }
        }
        let line = anchor.unwrap_or_else(|| self.lines_of(self.lines.start, self.lines.start));
        let indent = indent_at(self.text, line.start);
        let ended = self.text.get(..line.end).is_some_and(|text| text.ends_with('\n'));
        let key = toml_edit::Key::new(key);
        let new = if ended {
            format!("{indent}{key} = {value}{}", self.newline)
        } else {
            format!("{}{indent}{key} = {value}", self.newline)
        };
        self.splices.insert(line.end, new);
        Ok(())
    }

    /// The whole lines from one offset to another.
    fn lines_of(&self, start: usize, end: usize) -> Range<usize> {
        line_start(self.text.as_bytes(), start)..line_end(self.text.as_bytes(), end)
    }

    /// A span of the table as one of the file.
    fn place(&self, span: Option<Range<usize>>) -> Result<Range<usize>, Unfit> {
        let span = span.ok_or(Unfit)?;
        Ok(span.start + self.lines.start..span.end + self.lines.start)
    }
}

/// The blanks that a line begins with.
pub(super) fn indent_at(text: &str, line: usize) -> &str {
    let rest = text.get(line..).unwrap_or_default();
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    rest.get(..blanks).unwrap_or_default()
}

/// A value as TOML.
pub(super) fn written(value: impl Into<Value>) -> String {
    value.into().decorated("", "").to_string()
}
