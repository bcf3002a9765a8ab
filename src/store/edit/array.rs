//! A list in the file, changed element by element.
//!
//! Where each element stands, what to drop and what to add in; changes of the text out. A list over several lines stays
//! so, comments on elements that stay are kept, the comment behind a dropped one goes with it.

use super::entries::ListEdit;
use super::outline::{line_end, line_start};
use super::splice::Splices;
use super::table::indent_at;
use std::ops::Range;

/// New lists of more characters than this are written one element a line.
const LONG: usize = 90;

/// A new list of elements that are TOML.
pub(super) fn written(elements: &[String], newline: &str) -> String {
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
    /// Drops elements by index, puts others in the place of some, and adds others behind the last.
    pub(super) fn change(&self, ListEdit { drop, change, add }: &ListEdit, splices: &mut Splices) {
        for (index, element) in change {
            if let Some(place) = self.elements.get(*index) {
                splices.replace(place.clone(), element.as_str());
            }
        }
        for index in drop {
            self.drop(*index, drop, splices);
        }
        if add.is_empty() {
            return;
        }
        let kept = (0..self.elements.len()).rev().find(|index| !drop.contains(index));
        match self.elements.last() {
            Some(last) if self.breaks_between(self.end_of_last().unwrap_or(last.end), self.close()) => {
                self.add_lines(kept, add, splices);
            }
            Some(last) => self.add_behind(last, kept, add, splices),
            None if self.breaks_between(self.whole.start, self.close()) => {
                let line = line_start(self.text.as_bytes(), self.close());
                let indent = format!("{}    ", indent_at(self.text, line));
                splices.insert(line, lines(add, &indent, self.newline));
            }
            None => splices.replace(self.whole.start + 1..self.close(), add.join(", ")),
        }
    }

    fn drop(&self, index: usize, dropped: &[usize], splices: &mut Splices) {
        let Some(element) = self.elements.get(index).cloned() else { return };
        let comma = self.comma_behind(index);
        let end = comma.map_or(element.end, |comma| comma + 1);
        let next = self.elements.get(index + 1).filter(|next| self.on_one_line(element.start, next.start));
        let kept = (0..index).rev().find(|at| !dropped.contains(at));
        let kept = kept.and_then(|at| Some((at, self.elements.get(at)?.end)));
        let kept = kept.filter(|(_, kept_end)| self.on_one_line(*kept_end, element.start));
        let removed = match (next, kept, comma) {
            (Some(next), ..) => element.start..next.start,
            (None, Some((at, _)), Some(_)) => {
                self.comma_behind(at).map_or(element.start, |comma| comma + 1)..end
            }
            (None, Some((_, kept_end)), None) => kept_end..element.end,
            (None, None, _) => self.own_lines(&element, end, dropped).unwrap_or(element.start..end),
        };
        splices.remove(removed);
    }

    /// The lines from an element to its comma, if nothing else is on them.
    fn own_lines(&self, element: &Range<usize>, end: usize, dropped: &[usize]) -> Option<Range<usize>> {
        let bytes = self.text.as_bytes();
        let lines = line_start(bytes, element.start)..line_end(bytes, end);
        let others =
            self.elements.iter().enumerate().filter(|(at, other)| *other != element && !dropped.contains(at));
        let alone = others.into_iter().all(|(_, other)| !lines.contains(&other.start));
        let first_dropped = |at: &usize| self.elements.get(*at).filter(|other| lines.contains(&other.start));
        let first = dropped.iter().filter_map(first_dropped).map(|other| other.start).min()?;
        let clear = self.text.get(lines.start..first)?.trim().is_empty();
        (alone && clear && lines.start > self.whole.start && lines.end <= self.close()).then_some(lines)
    }

    /// New lines between the last element's and the closing bracket's.
    fn add_lines(&self, kept: Option<usize>, add: &[String], splices: &mut Splices) {
        let Some((last, element)) = self.elements.iter().enumerate().next_back() else { return };
        let comma = self.comma_behind(last);
        if let Some(kept) = kept.filter(|kept| self.is_left_bare(*kept))
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
        let blank = match self.breaks_between(self.whole.start, last.start) {
            true => {
                let line = line_start(self.text.as_bytes(), last.start);
                format!("{}{}", self.newline, indent_at(self.text, line))
            }
            false => " ".to_owned(),
        };
        let new = add.join(&format!(",{blank}"));
        let bare = kept.is_some_and(|kept| self.is_left_bare(kept));
        let beside = kept.and_then(|kept| self.elements.get(kept));
        let beside = beside.is_some_and(|kept| kept == last || self.on_one_line(kept.end, last.start));
        let lead = match (bare, beside) {
            (true, _) => format!(",{blank}"),
            (false, true) => blank,
            // In the place of what was dropped.
            (false, false) => String::new(),
        };
        let trail = if comma.is_some() { "," } else { "" };
        splices.insert(comma.map_or(last.end, |comma| comma + 1), format!("{lead}{new}{trail}"));
    }

    /// Whether the last element that is kept has no comma behind it once those behind it are dropped.
    fn is_left_bare(&self, kept: usize) -> bool {
        let last = self.elements.len().saturating_sub(1);
        let (Some(element), Some(end)) = (self.elements.get(kept), self.elements.get(last)) else {
            return false;
        };
        self.comma_behind(kept).is_none()
            || kept != last && self.comma_behind(last).is_none() && self.on_one_line(element.end, end.start)
    }

    fn on_one_line(&self, start: usize, end: usize) -> bool {
        !self.breaks_between(start, end)
    }

    /// Behind the last element and its comma.
    fn end_of_last(&self) -> Option<usize> {
        let last = self.elements.len().checked_sub(1)?;
        self.comma_behind(last).map(|comma| comma + 1)
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
