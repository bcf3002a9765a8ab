//! Whether a body can be read safely: its media type, charset and content codings.
//!
//! In: `Content-Type` and `Content-Encoding`. Out: a [`ContentType`], or [`RequestError::Unsupported`] (415). What
//! is not plainly UTF-8 in one of the three forms is refused: upstreams would differ about it.

use crate::request::error::RequestError;
use crate::request::fields::text;
use crate::request::{FieldName, Fields};

/// A form of body that can be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum ContentType {
    /// `application/x-www-form-urlencoded`
    Form,
    /// `application/json`, or a type that ends in `+json` (RFC 6839 §3.1).
    Json,
    /// `multipart/form-data` (RFC 7578) with this boundary.
    Multipart(String),
}

/// By this field old ASP.NET lets a client choose the charset of forms.
const DEVICE_CHARSET: &str = "x-up-devcap-post-charset";

/// The field by which a form names its own charset (HTML §4.10.21.5, RFC 7578 §4.6).
const OWN_CHARSET: &str = "_charset_";

/// Refuses a form that says of itself that it is not UTF-8: aiohttp believes it.
pub(super) fn check_own_charset(name: &str, value: &[u8]) -> Result<(), RequestError> {
    let utf8 = |value: &[u8]| value.eq_ignore_ascii_case(b"utf-8") || value.eq_ignore_ascii_case(b"utf8");
    if name.trim().eq_ignore_ascii_case(OWN_CHARSET) && !value.is_empty() && !utf8(value.trim_ascii()) {
        return Err(RequestError::Unsupported("a form that names another charset"));
    }
    Ok(())
}

/// The form of a body.
pub(super) fn of(fields: &Fields) -> Result<ContentType, RequestError> {
    let plain =
        |value: &[u8]| value.trim_ascii().is_empty() || value.trim_ascii().eq_ignore_ascii_case(b"identity");
    if !fields.all(FieldName::ContentEncoding).all(plain) {
        return Err(RequestError::Unsupported("a content coding"));
    }
    if fields.named(DEVICE_CHARSET).next().is_some() {
        return Err(RequestError::Unsupported("a charset of a device"));
    }
    let mut values = fields.all(FieldName::ContentType);
    let value = values.next().ok_or(RequestError::Unsupported("no content type"))?;
    if values.next().is_some() {
        return Err(RequestError::Unsupported("several content types"));
    }
    let value = text(value).ok_or(RequestError::Unsupported("a content type that is not ASCII"))?;
    parse(value).ok_or(RequestError::Unsupported("its content type or charset"))
}

fn parse(value: &str) -> Option<ContentType> {
    let mut pieces = value.split(';');
    let essence = pieces.next()?.trim().to_ascii_lowercase();
    let (mut charset, mut boundary) = (None, None);
    for piece in pieces.map(str::trim).filter(|piece| !piece.is_empty()) {
        let (name, value) = parameter(piece)?;
        let known = match name.to_ascii_lowercase().as_str() {
            "charset" => charset.replace(value),
            "boundary" => boundary.replace(value),
            name if name.starts_with("charset") || name.starts_with("boundary") => return None,
            _ => None,
        };
        if known.is_some() {
            return None;
        }
    }
    if charset.is_some_and(|charset| !matches!(charset.to_ascii_lowercase().as_str(), "utf-8" | "utf8")) {
        return None;
    }
    match essence.as_str() {
        "application/x-www-form-urlencoded" => Some(ContentType::Form),
        "application/json" | "text/json" => Some(ContentType::Json),
        "multipart/form-data" => {
            boundary.filter(|b| is_boundary(b)).map(|b| ContentType::Multipart(b.to_owned()))
        }
        other => {
            let subtype = other.strip_prefix("application/")?.strip_suffix("+json")?;
            let token = subtype.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._+".contains(&byte));
            (token && !subtype.is_empty()).then_some(ContentType::Json)
        }
    }
}

/// A parameter (RFC 9110 §5.6.6): a token, or a quoted string in which nothing needs a quote or a backslash.
pub(super) fn parameter(piece: &str) -> Option<(&str, &str)> {
    let (name, value) = piece.split_once('=')?;
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?,
        None if value.contains(char::is_whitespace) => return None,
        None => value,
    };
    let plain = !value.contains(['"', '\\', ',']) && !name.is_empty() && !name.contains(char::is_whitespace);
    plain.then_some((name, value))
}

/// RFC 2046 §5.1.1, without those characters that need quotes and that parsers differ about.
fn is_boundary(boundary: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_-./:=?".contains(&byte);
    (1..=70).contains(&boundary.len()) && boundary.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types() {
        let multipart = |boundary: &str| Some(ContentType::Multipart(boundary.into()));
        for (value, expected) in [
            ("application/x-www-form-urlencoded", Some(ContentType::Form)),
            ("Application/X-WWW-Form-URLEncoded ; Charset=\"UTF-8\"", Some(ContentType::Form)),
            ("application/json;charset=utf8;x=y;", Some(ContentType::Json)),
            ("application/vnd.x+json", Some(ContentType::Json)),
            (
                "multipart/form-data; boundary=----WebKitFormBoundary7MA4",
                multipart("----WebKitFormBoundary7MA4"),
            ),
            ("multipart/form-data; boundary=\"a:b\"", multipart("a:b")),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=a; boundary=a", None),
            ("multipart/form-data; boundary*=utf-8''a", None),
            ("multipart/form-data; boundary=\"a\\b\"", None),
            ("multipart/form-data; boundary = a", None),
            ("multipart/form-data; boundary=a b", None),
            ("multipart/mixed; boundary=a", None),
            ("application/json; charset=utf-16", None),
            ("application/json; charset=utf-7", None),
            ("application/json; charset=utf-8; charset=utf-16", None),
            ("application/json, text/plain", None),
            ("application/json; charset=utf-8, x", None),
            ("application/+json", None),
            ("text/plain", None),
            ("application/xml", None),
            ("application/octet-stream", None),
            ("", None),
            (";", None),
        ] {
            assert_eq!(parse(value), expected, "{value}");
        }
    }
}
