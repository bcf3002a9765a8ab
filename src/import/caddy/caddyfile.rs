//! Named matchers of a Caddyfile: `@name remote_ip …`, `@name not client_ip …` and `@name { … }`.
//!
//! Of the Caddyfile's grammar only words, quotes, comments and braces are understood, which is all that matchers need. A
//! `not { … }` block and an `expression` with `remote_ip(…)` are refused: they can say what no list can.

use super::{MATCHERS, Matcher, only_together, set_aside};
use crate::policy::finding::{Code, Report, Span};

type Word<'t> = (&'t str, Span);

/// The lists of all named matchers.
pub(super) fn matchers<'t>(text: &'t str, report: &mut Report<'_>) -> Vec<Matcher<'t>> {
    let mut found = Vec::new();
    let mut lines = lines(text).into_iter();
    while let Some(line) = lines.next() {
        match line.as_slice() {
            [(name, span), (open, _)] if name.starts_with('@') && *open == "{" => {
                let body: Vec<_> =
                    lines.by_ref().take_while(|line| !matches!(line.as_slice(), [("}", _)])).collect();
                found.extend(block((name, *span), &body, report));
            }
            [(name, span), rest @ ..] if name.starts_with('@') => {
                found.extend(condition((name, *span), rest, report).into_list());
            }
            [(word, span), ..] if MATCHERS.contains(word) => {
                // Only inside of `not { … }`, or outside of any matcher.
                refuse(*span, "a list that no named matcher has", report);
            }
            _ => {}
        }
    }
    found
}

/// What a condition of a matcher is.
enum Condition<'t> {
    List(Matcher<'t>),
    Other,
    Refused,
}

impl<'t> Condition<'t> {
    fn into_list(self) -> Option<Matcher<'t>> {
        if let Self::List(matcher) = self { Some(matcher) } else { None }
    }
}

/// All conditions of a block must match. Several lists of one kind are one list.
fn block<'t>(name: Word<'t>, body: &[Vec<Word<'t>>], report: &mut Report<'_>) -> Option<Matcher<'t>> {
    let mut found: Option<Matcher<'t>> = None;
    let (mut aside, mut refused) = (Vec::new(), false);
    for line in body {
        match (condition(name, line, report), &mut found) {
            (Condition::List(matcher), None) => found = Some(matcher),
            (Condition::List(more), Some(first))
                if more.kind == first.kind && !more.negated && !first.negated =>
            {
                first.ranges.extend(more.ranges);
            }
            (Condition::List(more), Some(_)) => {
                only_together(more.span, report);
                refused = true;
            }
            (Condition::Refused, _) => refused = true,
            (Condition::Other, _) => aside.extend(line.first()),
        }
    }
    for (word, span) in aside.iter().filter(|_| found.is_some()) {
        set_aside(*span, word, report);
    }
    found.filter(|_| !refused)
}

fn condition<'t>((name, at): Word<'t>, words: &[Word<'t>], report: &mut Report<'_>) -> Condition<'t> {
    let (negated, words) = match words {
        [("not", _), rest @ ..] => (true, rest),
        words => (false, words),
    };
    match words {
        [("{", span), ..] if negated => {
            refuse(*span, "a `not` of several conditions", report);
            Condition::Refused
        }
        [(kind, _), ranges @ ..] if MATCHERS.contains(kind) => {
            let mut ranges = ranges.to_vec();
            if let Some(("forwarded", span)) = ranges.first().copied() {
                set_aside(span, "forwarded", report);
                ranges.remove(0);
            }
            let name = name.trim_start_matches('@').to_owned();
            Condition::List(Matcher { name, kind: (*kind).to_owned(), span: at, negated, ranges })
        }
        words => match words
            .iter()
            .find(|(word, _)| MATCHERS.iter().any(|kind| word.contains(&format!("{kind}("))))
        {
            Some((_, span)) => {
                refuse(*span, "a list within an expression", report);
                Condition::Refused
            }
            None => Condition::Other,
        },
    }
}

fn refuse(span: Span, what: &str, report: &mut Report<'_>) {
    report.add(Code::LeftOut, span, what).label("left out");
}

/// The words of each line that has any. Quotes and backticks are taken off; a comment begins with a word.
fn lines(text: &str) -> Vec<Vec<Word<'_>>> {
    let (mut lines, mut line) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let first = rest.chars().next().unwrap_or('\n');
        let length = match first {
            '\n' => {
                lines.push(std::mem::take(&mut line));
                1
            }
            first if first.is_whitespace() => first.len_utf8(),
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '`' => {
                let inside = rest.get(1..).unwrap_or_default();
                let end = quoted_length(inside, first);
                line.push((inside.get(..end).unwrap_or_default(), Span { start: at + 1, end: at + 1 + end }));
                (end + 2).min(rest.len())
            }
            _ => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                line.push((rest.get(..end).unwrap_or_default(), Span { start: at, end: at + end }));
                end
            }
        };
        at += length;
    }
    lines.push(line);
    lines.retain(|line| !line.is_empty());
    lines
}

fn quoted_length(inside: &str, quote: char) -> usize {
    let mut hidden = false;
    for (at, character) in inside.char_indices() {
        if character == quote && !hidden {
            return at;
        }
        hidden = character == '\\' && !hidden;
    }
    inside.len()
}
