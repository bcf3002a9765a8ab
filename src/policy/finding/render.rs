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
    group = group.element(origin(&finding.excerpt));
    if !finding.excerpt.text.is_empty() {
        group = group.element(snippet(&finding.excerpt, &finding.label, AnnotationKind::Primary));
    }
    for (excerpt, label) in &finding.related {
        if excerpt.file != finding.excerpt.file {
            group = group.element(origin(excerpt));
        }
        group = group.element(snippet(excerpt, label, AnnotationKind::Context));
    }
    match &finding.hint {
        Some(hint) => group.element(Level::HELP.message(hint.as_str())),
        None => group,
    }
}

fn origin(excerpt: &Excerpt) -> Origin<'_> {
    Origin::path(&*excerpt.file).line(excerpt.line as usize).char_column(excerpt.column as usize)
}

fn snippet<'a>(excerpt: &'a Excerpt, label: &'a str, kind: AnnotationKind) -> Snippet<'a, Annotation<'a>> {
    let mark = kind.span(excerpt.mark.clone());
    let mark = if label.is_empty() { mark } else { mark.label(label) };
    Snippet::source(excerpt.text.as_str()).line_start(excerpt.line as usize).annotation(mark)
}
