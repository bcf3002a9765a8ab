//! `[log]`.

use crate::config::defaults;
use crate::config::settings::{AccessLog, DecisionLines, Log, LogFormat};
use crate::policy::document::reader::{At, Section};
use crate::policy::finding::{Code, Report};
use tracing_subscriber::EnvFilter;

const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];
const FORMATS: &[(&str, LogFormat)] = &[("text", LogFormat::Text), ("json", LogFormat::Json)];
const ACCESS: &[(&str, AccessLog)] =
    &[("off", AccessLog::Off), ("json", AccessLog::Json), ("combined", AccessLog::Combined)];
const DECISIONS: &[(&str, DecisionLines)] =
    &[("blocked", DecisionLines::Blocked), ("all", DecisionLines::All)];

pub(super) fn log(mut section: Section<'_>, report: &mut Report<'_>) -> Log {
    let level = section.string(report, "level").and_then(|level| self::level(level, report));
    let log = Log {
        level: level.unwrap_or(defaults::LOG_LEVEL).to_owned(),
        format: section.word(report, "format", FORMATS).map_or(LogFormat::Text, |format| format.value),
        access: section.word(report, "access", ACCESS).map_or(AccessLog::Off, |access| access.value),
        blocked_requests: section.boolean(report, "blocked_requests").unwrap_or(true),
        decisions: section
            .word(report, "decisions", DECISIONS)
            .map_or(DecisionLines::Blocked, |decisions| decisions.value),
    };
    section.finish(report);
    log
}

/// Whether a text is a level, or a filter such as `info,aclgate=debug`. The filter's parser takes any single word for
/// the name of a module, so a slip in a level would silence the log.
pub fn is_log_level(text: &str) -> bool {
    LEVELS.contains(&text) || (text.contains('=') && EnvFilter::builder().parse(text).is_ok())
}

fn level<'t>(level: At<&'t str>, report: &mut Report<'_>) -> Option<&'t str> {
    if is_log_level(level.value) {
        return Some(level.value);
    }
    let suggestion = report.suggest(level.value, LEVELS.iter().copied());
    let message = format!("`log.level` cannot be `{}`", level.value.escape_debug());
    let finding = report.add(Code::UnknownWord, level.span, message);
    finding.label("expected a level, or a filter such as `info,aclgate=debug`").hint = suggestion;
    None
}
