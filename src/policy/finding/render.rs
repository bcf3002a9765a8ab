//! Findings as text for a terminal.

use super::{Code, Excerpt, Finding, Findings, Severity};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// More are counted, but not drawn: nobody reads so many.
const MOST: usize = 500;

pub(super) fn render(findings: &Findings, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    for finding in findings.iter().take(MOST) {
        text.push_str(renderer.render(&[group(finding)]).trim_end());
        text.push_str("\n\n");
    }
    if let Some(more) = findings.iter().len().checked_sub(MOST).filter(|more| *more > 0) {
        text.push_str(&format!("… and {more} more\n\n"));
    }
    text
}

fn group(finding: &Finding) -> Group<'_> {
    let level = match finding.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let name = Code::name(finding.code);
    let mut group = Group::with_title(level.primary_title(finding.message.as_str()).id(name));
    let mut first = snippet(&finding.excerpt, &finding.label, AnnotationKind::Primary);
    let mut others = Vec::new();
    for (excerpt, label) in &finding.related {
        if is_same_line(excerpt, &finding.excerpt) {
            first = first.annotation(annotation(excerpt, label, AnnotationKind::Context));
        } else {
            others.push((excerpt, snippet(excerpt, label, AnnotationKind::Context)));
        }
    }
    for (excerpt, snippet) in std::iter::once((&finding.excerpt, first)).chain(others) {
        group = if excerpt.is_cut() {
            group.element(origin(excerpt)).element(snippet)
        } else {
            group.element(snippet)
        };
    }
    match &finding.hint {
        Some(hint) => group.element(Level::HELP.message(hint.as_str())),
        None => group,
    }
}

fn is_same_line(one: &Excerpt, other: &Excerpt) -> bool {
    one.file == other.file && one.line == other.line && one.text == other.text
}

/// The place of a line that was cut: there the renderer cannot count the columns itself.
fn origin(excerpt: &Excerpt) -> Origin<'_> {
    Origin::path(&*excerpt.file).line(excerpt.line as usize).char_column(excerpt.column as usize)
}

fn snippet<'a>(excerpt: &'a Excerpt, label: &'a str, kind: AnnotationKind) -> Snippet<'a, Annotation<'a>> {
    let snippet = Snippet::source(excerpt.text.as_str()).line_start(excerpt.line as usize);
    let snippet = if excerpt.is_cut() { snippet } else { snippet.path(&*excerpt.file) };
    snippet.annotation(annotation(excerpt, label, kind))
}

fn annotation<'a>(excerpt: &Excerpt, label: &'a str, kind: AnnotationKind) -> Annotation<'a> {
    let mark = kind.span(excerpt.mark.clone());
    if label.is_empty() { mark } else { mark.label(label) }
}
