//! `[policy.blocked_api_key]`, `.blocked_page`, `.blocked_token`, `.blocked_path`.

use super::answer_fields;
use super::tls::read;
use crate::config::answers::{Answers, BlockedAnswer, KeyAnswer};
use crate::config::defaults;
use crate::policy::Files;
use crate::policy::document::reader::{At, Section};
use crate::policy::finding::{Code, Report};
use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use hyper::ext::ReasonPhrase;

/// What a table says that is silent.
#[derive(Clone, Copy)]
struct Default {
    status: u16,
    error: &'static str,
}

const ON_BLOCK: &[(&str, bool)] = &[("respond", false), ("decoy", true)];
const REDIRECTS: &[u64] = &[301, 302, 303, 307, 308];

/// All four tables of `[policy]`.
pub(in crate::config) fn answers(
    policy: &mut Section<'_>,
    files: &dyn Files,
    report: &mut Report<'_>,
) -> Answers {
    let page = Default { status: defaults::FORBIDDEN_STATUS, error: defaults::ACCESS_ERROR };
    let key = Default { status: defaults::KEY_STATUS, ..page };
    let token = Default { status: defaults::TOKEN_STATUS, error: defaults::TOKEN_ERROR };
    let mut read = |key, name, default, report: &mut Report<'_>| match policy.section(report, key, name) {
        Some(mut section) => {
            let answer = answer(&mut section, default, files, report);
            section.finish(report);
            answer
        }
        None => built_in(default),
    };
    Answers {
        page: read("blocked_page", "policy.blocked_page", page, report),
        token: read("blocked_token", "policy.blocked_token", token, report),
        path: read("blocked_path", "policy.blocked_path", page, report),
        api_key: match policy.section(report, "blocked_api_key", "policy.blocked_api_key") {
            Some(section) => key_answer(section, key, files, report),
            None => KeyAnswer::Respond(built_in(key)),
        },
    }
}

fn key_answer(
    mut section: Section<'_>,
    default: Default,
    files: &dyn Files,
    report: &mut Report<'_>,
) -> KeyAnswer {
    let decoy = section.word(report, "on_block", ON_BLOCK).is_some_and(|decoy| decoy.value);
    let answer = answer(&mut section, default, files, report);
    section.finish(report);
    if decoy { KeyAnswer::Decoy } else { KeyAnswer::Respond(answer) }
}

fn built_in(default: Default) -> BlockedAnswer {
    BlockedAnswer {
        status: StatusCode::from_u16(default.status).unwrap_or(StatusCode::FORBIDDEN),
        reason: None,
        headers: Vec::new(),
        chunked: false,
        body: None,
        redirect: None,
        error: default.error.to_owned(),
    }
}

fn answer(
    section: &mut Section<'_>,
    default: Default,
    files: &dyn Files,
    report: &mut Report<'_>,
) -> BlockedAnswer {
    let redirect = section.filled(report, "redirect");
    let redirect = redirect.and_then(|target| self::redirect(target, report));
    let default_status = if redirect.is_some() { defaults::REDIRECT_STATUS } else { default.status };
    let status = status(section, redirect.is_some(), report).unwrap_or(default_status);
    let fields = answer_fields::read(section, report);
    BlockedAnswer {
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN),
        reason: reason(section, report),
        headers: fields.list,
        chunked: fields.chunked,
        body: body(section, files, report),
        redirect,
        error: error(section, report).unwrap_or(default.error).to_owned(),
    }
}

fn status(section: &mut Section<'_>, redirects: bool, report: &mut Report<'_>) -> Option<u16> {
    let status = section.integer(report, "status", 100..=599)?;
    let fine =
        if redirects { REDIRECTS.contains(&status.value) } else { (400..=599).contains(&status.value) };
    if !fine {
        let message = format!("`{}` cannot be {}", section.path("status"), status.value);
        let expected =
            if redirects { "301, 302, 303, 307 or 308, as there is a `redirect`" } else { "400 to 599" };
        report.add(Code::OutOfRange, status.span, message).label(format!("expected {expected}"));
        return None;
    }
    u16::try_from(status.value).ok()
}

/// An absolute http(s) URL or an absolute path, in visible ASCII; never one that a browser takes for another host's.
fn redirect(target: At<&str>, report: &mut Report<'_>) -> Option<HeaderValue> {
    let text = target.value;
    let path = text.starts_with('/') && !text.starts_with("//") && !text.starts_with("/\\");
    let absolute = text.starts_with("https://") || text.starts_with("http://");
    if (path || absolute) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return HeaderValue::from_str(text).ok();
    }
    let message = format!("`{}` is nowhere to redirect to", text.escape_debug());
    report.add(Code::BadUrl, target.span, message).label("expected an http(s) URL or a path from the root");
    None
}

/// `error` of RFC 6749 §5.2: visible ASCII and blanks without quote and backslash.
fn error<'d>(section: &mut Section<'d>, report: &mut Report<'_>) -> Option<&'d str> {
    let error = section.filled(report, "error")?;
    let fine = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if error.value.bytes().all(fine) {
        return Some(error.value);
    }
    let message = format!("`{}` cannot be `{}`", section.path("error"), error.value.escape_debug());
    report
        .add(Code::UnknownWord, error.span, message)
        .label("expected visible ASCII without quote and backslash");
    None
}

/// The reason phrase of HTTP/1.1 (RFC 9112 §4); some upstreams send none at all.
fn reason(section: &mut Section<'_>, report: &mut Report<'_>) -> Option<ReasonPhrase> {
    let reason = section.string(report, "reason")?;
    let phrase = ReasonPhrase::try_from(reason.value.as_bytes()).ok();
    if phrase.is_none() || !reason.value.is_ascii() {
        let message = format!("`{}` cannot be `{}`", section.path("reason"), reason.value.escape_debug());
        report.add(Code::BadHeader, reason.span, message).label("expected visible ASCII and blanks");
        return None;
    }
    phrase
}

fn body(section: &mut Section<'_>, files: &dyn Files, report: &mut Report<'_>) -> Option<Bytes> {
    let body = section.string(report, "body");
    let file = section.filled(report, "body_file");
    if let (Some(_), Some(file)) = (body, file) {
        let message = format!("`{}` beside `{}`", section.path("body_file"), section.path("body"));
        report.add(Code::Conflict, file.span, message).label("expected one of them");
        return None;
    }
    match file {
        Some(file) => read(file, files, report).map(Bytes::from),
        None => body.map(|body| Bytes::copy_from_slice(body.value.as_bytes())),
    }
}
