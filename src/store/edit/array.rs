//! A list of texts in the file, changed element by element.
//!
//! Where each element stands, what to drop and what to add in; changes of the text out. A list over several lines stays
//! so, comments on elements that stay are kept, the comment behind a dropped one goes with it.

use super::outline::{line_end, line_start};
use super::splice::Splices;
use super::table::{indent_at, written as written_value};
use std::ops::Range;

/// New lists of more characters than this are written one element a line.
const LONG: usize = 90;

/// A new list.
pub(super) fn written(elements: &[String], newline: &str) -> String {
    let elements: Vec<String> = elements.iter().map(|element| written_value(element.as_str())).collect();
    let line = elements.join(", ");
    if line.len() <= LONG {
        return format!("[{line}]");
    }
    let lines: String = elements.iter().map(|element| format!("    {element},{newline}")).collect();
    format!("[{newline}{lines}]")
}

/// Where a list and its elements stand in the text.
#[derive(Debug)]
pub(super) struct Layout<'t> {
    pub(super) text: &'t str,
    /// From bracket to bracket.
    pub(super) whole: Range<usize>,
    pub(super) elements: Vec<Range<usize>>,
    pub(super) newline: &'t str,
}

impl Layout<'_> {
    /// Drops elements by index and adds others behind the last.
    pub(super) fn change(&self, drop: &[usize], add: &[String], splices: &mut Splices) {
        for index in drop {
            self.drop(*index, drop, splices);
        }
        if add.is_empty() {
            return;
        }
        let kept = (0..self.elements.len()).rev().find(|index| !drop.contains(index));
        let add: Vec<String> = add.iter().map(|element| written_value(element.as_str())).collect();
        match self.elements.last() {
            Some(last) if self.breaks_between(last.end, self.close()) => {
                self.add_lines(kept, &add, splices);
            }
            Some(last) => self.add_behind(last, kept, &add, splices),
            None if self.breaks_between(self.whole.start, self.close()) => {
                let line = line_start(self.text.as_bytes(), self.close());
                let indent = format!("{}    ", indent_at(self.text, line));
                splices.insert(line, lines(&add, &indent, self.newline));
            }
            None => splices.replace(self.whole.start + 1..self.close(), add.join(", ")),
        }
    }

    fn drop(&self, index: usize, dropped: &[usize], splices: &mut Splices) {
        let Some(element) = self.elements.get(index).cloned() else { return };
        let end = self.comma_behind(index).map_or(element.end, |comma| comma + 1);
        let line = line_start(self.text.as_bytes(), element.start)..line_end(self.text.as_bytes(), end);
        let same_line = |other: usize| {
            let between = element.start.min(other)..element.start.max(other);
            !self.text.get(between).unwrap_or_default().contains('\n')
        };
        let next = self.elements.get(index + 1).filter(|next| same_line(next.start));
        let previous = (0..index).rev().filter_map(|at| Some((at, self.elements.get(at)?)));
        let kept = previous.filter(|(at, _)| !dropped.contains(at)).map(|(at, kept)| (at, kept.end)).next();
        let kept = kept.filter(|(_, end)| same_line(*end));
        let removed = match (next, kept) {
            (Some(next), _) => element.start..next.start,
            (None, Some((at, kept_end))) if self.comma_behind(index).is_some() => {
                self.comma_behind(at).map_or(kept_end, |comma| comma + 1)..end
            }
            (None, Some((_, kept_end))) => kept_end..element.end,
            (None, None) if line.start > self.whole.start && line.end <= self.close() => line,
            (None, None) => element.start..end,
        };
        splices.remove(removed);
    }

    /// New lines between the last element's and the closing bracket's.
    fn add_lines(&self, kept: Option<usize>, add: &[String], splices: &mut Splices) {
        let Some((last, element)) = self.elements.iter().enumerate().next_back() else { return };
        let comma = self.comma_behind(last);
        if let Some(kept) = kept
            && self.comma_behind(kept).is_none()
            && let Some(kept) = self.elements.get(kept)
        {
            splices.insert(kept.end, ",");
        }
        let bytes = self.text.as_bytes();
        let at = line_end(bytes, comma.unwrap_or(element.end));
        // The list may begin on the line of its key.
        let line = line_start(bytes, element.start);
        let indent = if line > self.whole.start {
            indent_at(self.text, line).to_owned()
        } else {
            format!("{}    ", indent_at(self.text, line_start(bytes, self.close())))
        };
        let mut new = lines(add, &indent, self.newline);
        if comma.is_none() {
            new.truncate(new.len() - self.newline.len() - 1);
            new.push_str(self.newline);
        }
        splices.insert(at, new);
    }

    /// Behind the last element, on the closing bracket's line.
    fn add_behind(&self, last: &Range<usize>, kept: Option<usize>, add: &[String], splices: &mut Splices) {
        let comma = self.comma_behind(self.elements.len().saturating_sub(1));
        let line = line_start(self.text.as_bytes(), last.start);
        let several = self.breaks_between(self.whole.start, last.start);
        let between = match several {
            true => format!(",{}{}", self.newline, indent_at(self.text, line)),
            false => ", ".to_owned(),
        };
        let mut new = add.join(&between);
        if comma.is_some() {
            new.push(',');
        }
        // With a comma behind the last element there is one before the new ones already.
        match (kept, comma) {
            (None, _) => splices.insert(comma.map_or(last.end, |comma| comma + 1), new),
            (Some(_), None) => splices.insert(last.end, format!("{between}{new}")),
            (Some(_), Some(comma)) => {
                let blank = between.strip_prefix(',').unwrap_or_default();
                splices.insert(comma + 1, format!("{blank}{new}"));
            }
        }
    }

    /// Where the comma behind an element stands.
    fn comma_behind(&self, index: usize) -> Option<usize> {
        let mut at = self.elements.get(index)?.end;
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(at).filter(|_| at < self.close())? {
                b',' => return Some(at),
                b'#' => at = line_end(bytes, at),
                b' ' | b'\t' | b'\r' | b'\n' => at += 1,
                _ => return None,
            }
        }
    }

    fn breaks_between(&self, start: usize, end: usize) -> bool {
        self.text.get(start..end).is_some_and(|text| text.contains('\n'))
    }

    /// Where the closing bracket stands.
    fn close(&self) -> usize {
        self.whole.end.saturating_sub(1)
    }
}

fn lines(elements: &[String], indent: &str, newline: &str) -> String {
    elements.iter().map(|element| format!("{indent}{element},{newline}")).collect()
}

#[cfg(test)]
mod tests;
