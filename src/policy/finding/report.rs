//! Gathers findings while a configuration is read.

use super::{Code, Excerpt, Finding, Findings, Source, Span};

/// Findings in the making, and the text that they point into.
#[derive(Debug)]
pub struct Report<'a> {
    source: Source<'a>,
    findings: Vec<Finding>,
    latest: Option<Finding>,
    suggestions: usize,
    sections: Option<Vec<(&'static str, &'static str)>>,
}

/// Searching for similar names costs time for each of them: after this many findings nobody reads hints any more.
const SUGGESTIONS: usize = 50;

impl<'a> Report<'a> {
    /// Nothing found yet in a text.
    pub fn new(name: &str, text: &'a str) -> Self {
        let source = Source::new(name, text);
        Self { source, findings: Vec::new(), latest: None, suggestions: 0, sections: None }
    }

    /// Adds a finding at a span of the text.
    pub fn add(&mut self, code: Code, span: Span, message: impl Into<String>) -> &mut Finding {
        let excerpt = self.source.excerpt(span);
        self.add_at(code, excerpt, message)
    }

    /// Adds a finding somewhere else, such as in a list file.
    pub fn add_at(&mut self, code: Code, excerpt: Excerpt, message: impl Into<String>) -> &mut Finding {
        self.findings.extend(self.latest.take());
        let (message, label) = (message.into(), String::new());
        self.latest.insert(Finding { code, message, excerpt, label, hint: None, related: Vec::new() })
    }

    /// Changes the finding that was added last.
    pub fn amend(&mut self, change: impl FnOnce(&mut Finding) -> &mut Finding) {
        if let Some(finding) = &mut self.latest {
            change(finding);
        }
    }

    /// The text's lines.
    pub fn source(&self) -> &Source<'a> {
        &self.source
    }

    /// What must never be shown.
    pub fn hide(&mut self, span: Span) {
        self.source.hide(span);
    }

    /// Whether there is an error so far.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().chain(&self.latest).any(|finding| finding.severity() == super::Severity::Error)
    }

    /// `did you mean …?`, if a candidate is near; `None` also once enough has been suggested.
    pub fn suggest<'c>(&mut self, word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<String> {
        self.suggestions += 1;
        if self.suggestions > SUGGESTIONS {
            return None;
        }
        nearest(word, candidates).map(|nearest| format!("did you mean `{nearest}`?"))
    }

    /// Drops what does not stand.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&Finding) -> bool) {
        self.findings.extend(self.latest.take());
        self.findings.retain(keep);
    }

    /// From now on notes every key that is asked for.
    #[cfg(test)]
    pub(crate) fn note_keys(&mut self) {
        self.sections = Some(Vec::new());
    }

    /// Notes a key that was asked for.
    pub(crate) fn asked(&mut self, section: &'static str, key: &'static str) {
        if let Some(sections) = &mut self.sections {
            sections.push((section, key));
        }
    }

    /// The noted keys.
    #[cfg(test)]
    pub(crate) fn noted_keys(&self) -> &[(&'static str, &'static str)] {
        self.sections.as_deref().unwrap_or_default()
    }

    /// What was found, sorted.
    pub fn finish(mut self) -> Findings {
        self.findings.extend(self.latest.take());
        Findings::sorted(self.findings, self.source.name())
    }
}

/// The candidate that differs least from a word, if it differs little.
fn nearest<'c>(word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let folded = word.to_lowercase();
    let allowed = match folded.chars().count() {
        0..=2 => 1,
        3..=7 => 2,
        _ => 3,
    };
    let close = |candidate: &&str| candidate.len().abs_diff(word.len()) <= 4 && !candidate.is_empty();
    candidates
        .filter(close)
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_word_is_suggested_if_it_is_near() {
        let words = ["listen", "workers", "limits", "timeouts", "tls"];
        let cases = [
            ("lisen", Some("listen")),
            ("Listen", Some("listen")),
            ("worker", Some("workers")),
            ("timeout", Some("timeouts")),
            ("tsl", Some("tls")),
            ("colour", None),
            ("", None),
        ];
        for (word, expected) in cases {
            assert_eq!(nearest(word, words.into_iter()), expected, "{word}");
        }
    }
}
