//! Values that are judged alone: hashes, UUIDs, ids, header names.

use super::reader::{At, Section};
use crate::policy::finding::{Code, Report};
use crate::policy::subject::ApiKeyHash;
use serde_json::Value as Json;
use std::sync::Arc;
use toml::de::DeValue;
use uuid::Uuid;

/// A SHA-256 in hex. What is no hash may be the key itself: it is never shown.
pub fn hex_hash(report: &mut Report<'_>, text: At<&str>) -> Option<At<ApiKeyHash>> {
    let mut bytes = [0; 32];
    let digits = text.value.as_bytes();
    let (pairs, rest) = digits.as_chunks::<2>();
    let fine = pairs.len() == bytes.len() && rest.is_empty();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let decoded = || {
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(())
    };
    if fine.then(decoded).flatten().is_some() {
        return Some(text.map(|_| ApiKeyHash::from_bytes(bytes)));
    }
    report.hide(text.span);
    report
        .add(Code::BadHash, text.span, "`sha256` is no SHA-256 in hex")
        .label(format!("expected 64 hex digits, found {} characters", text.value.chars().count()))
        .hint("`aclgate hash-key` reads a key and prints its hash; the key itself must not be in this file");
    None
}

/// A UUID in its usual form, with hyphens.
pub(super) fn uuid(table: &mut Section<'_>, report: &mut Report<'_>, key: &'static str) -> Option<At<Uuid>> {
    let text = table.string(report, key)?;
    let hyphenated = text.value.len() == 36;
    match text.value.parse() {
        Ok(uuid) if hyphenated => Some(text.map(|_| uuid)),
        _ => {
            let message = format!("`{}` is no UUID: `{}`", table.path(key), text.value.escape_debug());
            let finding = report.add(Code::BadId, text.span, message);
            finding.label("expected a UUID such as `fba75c7b-8c27-4cdd-840e-694d808d0aab`");
            finding.hint("leave it out to have it derived from the name");
            None
        }
    }
}

/// The id of a tenant or application, as requests name it: any text without control characters or blanks around it.
pub(super) fn id<'d>(
    table: &mut Section<'d>,
    report: &mut Report<'_>,
    expected: &str,
) -> Option<At<&'d str>> {
    let Some(text) = table.filled(report, "id") else {
        if !table.has("id") {
            table.missing(report, "id", expected);
        }
        return None;
    };
    if text.value.trim() != text.value || text.value.contains(char::is_control) {
        let message = format!("`{}` cannot be `{}`", table.path("id"), text.value.escape_debug());
        report
            .add(Code::BadId, text.span, message)
            .label("expected no blanks around it and no control characters");
        return None;
    }
    Some(text)
}

/// A header name (RFC 9110 §5.1), in lower case.
pub fn header_name(report: &mut Report<'_>, name: At<&str>) -> Option<Arc<str>> {
    match http::HeaderName::from_bytes(name.value.as_bytes()) {
        Ok(parsed) => Some(parsed.as_str().into()),
        Err(_) => {
            let message = format!("`{}` is no header name", name.value.escape_debug());
            report.add(Code::BadHeader, name.span, message).label("expected a name such as `X-API-Key`");
            None
        }
    }
}

/// A TOML value as JSON; dates become texts, numbers that JSON lacks become null.
pub(super) fn json(value: &DeValue<'_>) -> Json {
    match value {
        DeValue::String(text) => Json::from(&**text),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Json::Null, Json::from)
        }
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Json::Null, Json::from),
        DeValue::Boolean(boolean) => Json::from(*boolean),
        DeValue::Datetime(datetime) => Json::from(datetime.to_string()),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Table(table) => {
            let pair =
                |(key, value): (&toml::Spanned<std::borrow::Cow<'_, str>>, &toml::Spanned<DeValue<'_>>)| {
                    (key.get_ref().to_string(), json(value.get_ref()))
                };
            Json::Object(table.iter().map(pair).collect())
        }
    }
}
