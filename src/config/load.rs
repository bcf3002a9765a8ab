//! The front door of every configuration: used by `run`, reload, `check` and the management API alike.

use super::read;
use super::settings::Config;
use crate::policy::document::PolicyDocument;
use crate::policy::document::reader::Section;
use crate::policy::finding::{Code, Finding, Findings, Report, Span};
use crate::policy::moment::Moment;
use crate::policy::validate::{Draft, validate};
use crate::policy::{Files, Policy};
use toml::de::DeTable;

/// A configuration without a mistake.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The policy.
    pub policy: Policy,
}

/// What a text is.
#[derive(Debug)]
pub struct Outcome {
    /// The configuration; `None` if and only if there are errors.
    pub loaded: Option<Loaded>,
    /// Every error and warning, sorted by place.
    pub findings: Findings,
}

/// Reads, validates and compiles a configuration. `name` is the file's name in findings; `files` are those that it
/// refers to. Entries that have expired by `now` do not count.
pub fn load(text: &str, name: &str, files: &dyn Files, now: Moment) -> Outcome {
    let mut report = Report::new(name, text);
    let loaded = read_all(text, (files, now), &mut report);
    Outcome { loaded, findings: report.finish() }
}

/// What a text is read against: the files that it refers to, and the time.
type World<'a> = (&'a dyn Files, Moment);

pub(super) fn read_all(text: &str, world: World<'_>, report: &mut Report<'_>) -> Option<Loaded> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let (config, draft) = read_tables(root.get_ref(), world, report);
    let parts = draft.finish(report);
    if !errors.is_empty() {
        add_syntax_errors(&errors, text, report);
    }
    if report.has_errors() {
        return None;
    }
    Some(Loaded { config: config?, policy: Policy::new(parts) })
}

/// `None` in place of the settings only where a finding says why.
fn read_tables(
    table: &DeTable<'_>,
    (files, now): World<'_>,
    report: &mut Report<'_>,
) -> (Option<Config>, Draft) {
    let empty = DeTable::new();
    let mut root = Section::new("", table, Span::default());
    let mut policy = root
        .section(report, "policy", "policy")
        .unwrap_or_else(|| Section::new("policy", &empty, Span::default()));
    let answers = read::answers(&mut policy, files, report);
    let document = PolicyDocument::read(&mut root, &mut policy, report);
    policy.finish(report);
    let mut draft = validate(document, files, now, report);
    let config = read::config(&mut root, answers, (files, draft.acls()), report);
    root.finish(report);
    (config, draft)
}

/// One for each line; a list that is not closed makes an error of every line behind it, and is one mistake.
fn add_syntax_errors(errors: &[toml::de::Error], text: &str, report: &mut Report<'_>) {
    let mut errors: Vec<(u32, Span, &toml::de::Error)> = errors
        .iter()
        .map(|error| {
            let span = error.span().map_or(Span { start: text.len(), end: text.len() }, Span::from);
            (report.source().line(span.start), span, error)
        })
        .collect();
    errors.sort_by_key(|(line, span, _)| (*line, *span));
    keep_what_stands(&errors, report);
    let mut last_line = 0;
    let mut in_open_list = false;
    for (line, span, error) in errors {
        let is_new = line > last_line + u32::from(in_open_list);
        last_line = line;
        if is_new {
            in_open_list = error.message().starts_with(MISSING_COMMA);
            add_syntax_error(error, span, text, report);
        }
    }
}

const MISSING_COMMA: &str = "missing comma between array elements";

/// The text is broken somewhere: what is missing or unknown may only seem so, as the parser had to guess where tables
/// end. What is wrong with a value in itself stands, unless its line is broken.
fn keep_what_stands(errors: &[(u32, Span, &toml::de::Error)], report: &mut Report<'_>) {
    let stands = |finding: &Finding| {
        if errors.iter().any(|(line, ..)| *line == finding.line()) {
            return false;
        }
        !matches!(
            finding.code,
            Code::MissingKey
                | Code::UnknownKey
                | Code::UnknownReference
                | Code::WrongType
                | Code::Duplicate
                | Code::Empty
                | Code::SecondDefault
                | Code::Conflict
                | Code::UnusedAcl
                | Code::CrossingRanges
                | Code::OpenerApplication
                | Code::SpoofableFirst
                | Code::CleartextAdmin
                | Code::OwnAddress
                | Code::UnseenBodies
                | Code::NoDecoyHere
        )
    };
    report.retain(stands);
}

fn add_syntax_error(error: &toml::de::Error, span: Span, text: &str, report: &mut Report<'_>) {
    let (what, expected) = error.message().split_once(", expected ").unwrap_or_else(|| (error.message(), ""));
    let duplicate = what == "duplicate key";
    let code = if duplicate { Code::Duplicate } else { Code::Syntax };
    let message = match text.get(span.start..span.end) {
        Some(key) if duplicate => format!("the key `{key}` twice"),
        _ => what.to_owned(),
    };
    let finding = report.add(code, span, message);
    if duplicate {
        finding.label("already in this table");
    } else if !expected.is_empty() {
        finding.label(format!("expected {expected}"));
    }
    if what.starts_with(MISSING_COMMA) {
        finding.hint("or the list above is not closed with `]`");
    } else if what.starts_with("string values must be quoted") || what.starts_with("invalid float") {
        finding.hint("texts stand in quotes: `key = \"value\"`");
    }
}
