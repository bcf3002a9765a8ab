//! `headers` of `[policy.blocked_*]`: a table of texts, or lists of texts, in → fields in the order of the file, out.
//!
//! An answer must be able to be the upstream's own, to the byte. So `Content-Length = ""` and `Date = ""` say where the
//! values that the gateway fills in have their place, and `Transfer-Encoding = "chunked"` sends the body in chunks.
//! Deliberately absent: the spelling of names. HTTP/2 has none, and over HTTP/1.1 the upstream's own answers are passed
//! on in lower case too. Other fields that frame the message or belong to the connection (RFC 9110 §7.6.1, RFC 9112 §6)
//! are refused.

use crate::config::answers::FieldValue;
use crate::policy::document::header_name;
use crate::policy::document::reader::{At, Section, Value, as_string};
use crate::policy::finding::{Code, Report};
use http::header::{CONTENT_LENGTH, DATE, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue};
use toml::de::DeValue;

const FRAMING: &[&str] = &["connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade"];

/// The fields of an answer, and whether its body is sent in chunks.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) list: Vec<(HeaderName, FieldValue)>,
    pub(super) chunked: bool,
}

pub(super) fn read(section: &mut Section<'_>, report: &mut Report<'_>) -> Fields {
    let mut fields = Fields::default();
    let Some(mut table) = section.section(report, "headers", "headers") else { return fields };
    for (name, value) in table.entries() {
        for text in texts(name, value, report) {
            field(name, text, &mut fields, report);
        }
    }
    fields
}

/// One text, or several for a field that comes as often.
fn texts<'d>(name: At<&'d str>, value: Value<'d>, report: &mut Report<'_>) -> Vec<At<&'d str>> {
    let path = || format!("headers.{}", name.value);
    let DeValue::Array(items) = value.value else {
        return as_string(report, value, &path).into_iter().collect();
    };
    let items = items.iter().map(|item| At { value: item.get_ref(), span: item.span().into() });
    items.filter_map(|item| as_string(report, item, &path)).collect()
}

fn field(name: At<&str>, text: At<&str>, fields: &mut Fields, report: &mut Report<'_>) {
    let Some(lower) = header_name(report, name) else { return };
    if FRAMING.contains(&&*lower) {
        let message = format!("`{}` frames the answer and is not the configuration's to set", name.value);
        report.add(Code::BadHeader, name.span, message).label("set by the gateway itself");
        return;
    }
    let (Ok(parsed), Ok(value)) =
        (HeaderName::from_bytes(lower.as_bytes()), HeaderValue::from_str(text.value))
    else {
        let message = format!("the value of `{}` cannot be sent", name.value);
        report.add(Code::BadHeader, text.span, message).label("expected visible ASCII and blanks");
        return;
    };
    let expected = match parsed {
        CONTENT_LENGTH | DATE => "",
        TRANSFER_ENCODING => "chunked",
        _ => return fields.list.push((parsed, FieldValue::Text(value))),
    };
    if !text.value.eq_ignore_ascii_case(expected) {
        let message = format!("`{}` is not the configuration's to set", name.value);
        report.add(Code::BadHeader, text.span, message).label(format!("expected `\"{expected}\"`"));
    } else if parsed == TRANSFER_ENCODING {
        fields.chunked = true;
    } else {
        fields.list.push((parsed, FieldValue::FilledIn));
    }
}
