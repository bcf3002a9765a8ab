//! Findings: what is wrong or unwise in a configuration, each with a stable code, a place and a hint.
//!
//! A [`Report`] gathers them while a file is read; [`Findings`] is what remains, sorted by place, self-contained
//! (each finding carries the lines that it shows) and free of secrets: what looks like a key, a hash or a password
//! is masked before a line is kept ([`source`]).

pub mod code;
mod render;
mod report;
pub mod source;

pub use code::{Code, Severity};
pub use report::Report;
pub use source::{Excerpt, Source, Span};

use std::sync::Arc;

/// One thing that is wrong or unwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What kind of thing; its severity follows from it.
    pub code: Code,
    /// What is wrong, in one line.
    pub message: String,
    /// Where: the lines shown and the place in them.
    pub excerpt: Excerpt,
    /// What is expected, or found, beside the place.
    pub label: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Other places that belong to it, with what they are.
    pub related: Vec<(Excerpt, String)>,
}

impl Finding {
    /// Whether it is an error or a warning.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// The file, as it was named.
    pub fn file(&self) -> &str {
        &self.excerpt.file
    }

    /// The line, from 1.
    pub fn line(&self) -> u32 {
        self.excerpt.line
    }

    /// The column in characters, from 1.
    pub fn column(&self) -> u32 {
        self.excerpt.column
    }

    /// `file:line:column`, as editors and terminals understand it.
    pub fn place(&self) -> String {
        format!("{}:{}:{}", self.file(), self.line(), self.column())
    }

    /// Sets what is said beside the place.
    pub fn label(&mut self, label: impl Into<String>) -> &mut Self {
        self.label = label.into();
        self
    }

    /// Sets what to do about it.
    pub fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a place that belongs to it.
    pub fn related(&mut self, excerpt: Excerpt, label: impl Into<String>) -> &mut Self {
        self.related.push((excerpt, label.into()));
        self
    }

    /// As an object for machines.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "severity": self.severity().name(),
            "code": self.code.name(),
            "message": self.message,
            "file": self.file(),
            "line": self.line(),
            "column": self.column(),
            "label": self.label,
            "hint": self.hint,
            "related": self.related.iter().map(|(excerpt, label)| serde_json::json!({
                "file": &*excerpt.file, "line": excerpt.line, "column": excerpt.column, "label": label,
            })).collect::<Vec<_>>(),
        })
    }
}

/// Everything that was found in one configuration, sorted by file and position.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Sorts: the file itself first, then its list files by name; within a file by position.
    fn sorted(mut findings: Vec<Finding>, main: &Arc<str>) -> Self {
        findings.sort_by(|a, b| a.order(main).cmp(&b.order(main)));
        Self(findings)
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the configuration must be refused.
    pub fn has_errors(&self) -> bool {
        self.errors().next().is_some()
    }

    /// All of them, by position.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.0.iter()
    }

    /// What is wrong.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter(|finding| finding.severity() == Severity::Error)
    }

    /// What is legal, but unwise.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter(|finding| finding.severity() == Severity::Warning)
    }

    /// All but those of one kind.
    #[must_use]
    pub fn without(mut self, code: Code) -> Self {
        self.0.retain(|finding| finding.code != code);
        self
    }

    /// `2 errors, 1 warning`; empty where there is nothing.
    pub fn count(&self) -> String {
        let counts = [(self.errors().count(), "error"), (self.warnings().count(), "warning")];
        let mut parts = Vec::new();
        for (count, word) in counts {
            match count {
                0 => {}
                1 => parts.push(format!("1 {word}")),
                many => parts.push(format!("{many} {word}s")),
            }
        }
        parts.join(", ")
    }

    /// For people: each finding with its lines, carets and hint.
    pub fn render(&self, colour: bool) -> String {
        render::render(self, colour)
    }

    /// For machines: an array of objects.
    pub fn to_json(&self) -> serde_json::Value {
        self.0.iter().map(Finding::to_json).collect()
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Finding;
    type IntoIter = std::slice::Iter<'a, Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Finding {
    fn order(&self, main: &Arc<str>) -> (bool, &str, u32, u32, Code) {
        let Excerpt { file, line, column, .. } = &self.excerpt;
        (file != main, file, *line, *column, self.code)
    }
}

#[cfg(test)]
mod tests;
