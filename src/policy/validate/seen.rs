//! What was seen before: duplicates and references.

use crate::policy::document::reader::At;
use crate::policy::finding::{Code, Report, Span};
use std::collections::HashMap;
use std::hash::Hash;

/// Where each value of one kind was seen first.
#[derive(Debug)]
pub(super) struct Seen<K>(HashMap<K, Span>);

impl<K: Hash + Eq> Seen<K> {
    pub(super) fn new() -> Self {
        Self(HashMap::new())
    }

    /// Whether the value is new; if not, both places are reported. A value seen twice at one place (a name that is
    /// also the id) is new.
    pub(super) fn first(
        &mut self,
        report: &mut Report<'_>,
        key: K,
        span: Span,
        what: impl FnOnce() -> String,
    ) -> bool {
        match self.0.get(&key) {
            Some(first) if *first != span => {
                duplicate(report, span, *first, &what());
                false
            }
            Some(_) => true,
            None => {
                self.0.insert(key, span);
                true
            }
        }
    }
}

fn duplicate(report: &mut Report<'_>, span: Span, first: Span, what: &str) {
    let first = report.source().excerpt(first);
    let line = first.line;
    let finding = report.add(Code::Duplicate, span, format!("{what} twice"));
    finding.label(format!("already in line {line}")).related(first, "first here");
}

/// Reports a reference to nothing. `names` are the names that there are.
pub(super) fn unknown<'n>(
    report: &mut Report<'_>,
    reference: At<&str>,
    kind: &str,
    names: impl Iterator<Item = &'n str>,
) {
    let suggestion = report.suggest(reference.value, names);
    let message = format!("there is no {kind} `{}`", reference.value.escape_debug());
    let finding = report.add(Code::UnknownReference, reference.span, message);
    finding.label("expected a name or an id").hint = suggestion;
}
