//! What of a response's fields goes on to the client: everything but what is for us, the next hop, in its order.
//!
//! Fields in, as lines of HTTP/1.1 or as a `HeaderMap` → the same without hop-by-hop fields. A response that cannot be
//! passed on safely is refused: its length is ambiguous (RFC 9112 §6.3), or its transfer coding is one that we could
//! not take off. Bodiless responses have no length (RFC 9110 §8.6).

use super::hop::Options;
use super::names;
use crate::http1::{FieldLine, FieldLines};
use http::header::{self, HeaderMap};
use http::{StatusCode, response};

/// Judges the fields of one response, one after the other.
struct Judge<'a> {
    options: Options<'a>,
    bodiless: bool,
    lengths: usize,
    codings: usize,
}

impl<'a> Judge<'a> {
    /// `connection` are the values of `Connection`.
    fn new(status: StatusCode, connection: impl Iterator<Item = &'a [u8]>) -> Result<Self, &'static str> {
        let mut options = Options::default();
        for value in connection {
            options.add(value).map_err(|_| "too many options in `Connection`")?;
        }
        let bodiless = status == StatusCode::NO_CONTENT || status.is_informational();
        Ok(Self { options, bodiless, lengths: 0, codings: 0 })
    }

    /// Whether a field goes on. `name` is in lower case.
    fn keeps(&mut self, name: &[u8], value: &[u8]) -> Result<bool, &'static str> {
        match name {
            b"content-length" => {
                self.lengths += 1;
                if self.lengths > 1 || value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
                    return Err("`Content-Length` is not one number");
                }
                return Ok(!self.bodiless);
            }
            b"transfer-encoding" => {
                self.codings += 1;
                if self.codings > 1 || !value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                    return Err("a transfer coding other than `chunked`");
                }
            }
            _ => {}
        }
        Ok(!names::is_hop_by_hop(name) && !self.options.remove(name, &[]))
    }

    fn end(self) -> Result<(), &'static str> {
        if self.lengths > 0 && self.codings > 0 {
            return Err("both `Content-Length` and `Transfer-Encoding`");
        }
        Ok(())
    }
}

/// What goes on of a head that was read as HTTP/1.1, names in any case.
///
/// # Errors
/// Says why the response cannot be passed on.
pub(super) fn lines(
    status: StatusCode,
    fields: &[FieldLine<'_>],
    bytes: usize,
) -> Result<FieldLines, &'static str> {
    let is_connection = |field: &&FieldLine<'_>| field.name.eq_ignore_ascii_case(b"connection");
    let mut judge = Judge::new(status, fields.iter().filter(is_connection).map(|field| field.value))?;
    let mut lines = FieldLines::with_capacity(bytes);
    for field in fields {
        lines.put(*field, |name| judge.keeps(name, field.value))?;
    }
    judge.end()?;
    Ok(lines)
}

/// Takes out of a response what does not go on.
///
/// # Errors
/// Says why the response cannot be passed on.
pub(super) fn clean(response: &mut response::Parts) -> Result<(), &'static str> {
    let fields = &response.headers;
    let connection = || fields.get_all(header::CONNECTION).iter().map(http::HeaderValue::as_bytes);
    let mut judge = Judge::new(response.status, connection())?;
    // Removing from a `HeaderMap` in place would change its order.
    let mut kept = HeaderMap::with_capacity(fields.len());
    for (name, value) in fields {
        if judge.keeps(name.as_str().as_bytes(), value.as_bytes())? {
            kept.append(name.clone(), value.clone());
        }
    }
    judge.end()?;
    response.headers = kept;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(fields: &HeaderMap) -> Vec<String> {
        fields.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect()
    }

    /// What is left of these fields, whichever way they came.
    fn cleaned(status: u16, fields: &[(&str, &str)]) -> Result<Vec<String>, &'static str> {
        let mut builder = http::Response::builder().status(status);
        for (name, value) in fields {
            builder = builder.header(*name, *value);
        }
        let (mut parts, ()) = builder.body(()).unwrap().into_parts();
        let outcome = clean(&mut parts);
        let raw: Vec<_> = fields
            .iter()
            .map(|(name, value)| FieldLine { name: name.as_bytes(), value: value.as_bytes(), text: None })
            .collect();
        let lines = lines(parts.status, &raw, 0);
        assert_eq!(lines.as_ref().err(), outcome.as_ref().err());
        let mut unfolded = HeaderMap::new();
        lines?.unfold(&mut unfolded);
        assert_eq!(shown(&unfolded), shown(&parts.headers));
        Ok(shown(&unfolded))
    }

    #[test]
    fn responses_keep_everything_else_in_order() {
        let lines = cleaned(
            200,
            &[
                ("Date", "now"),
                ("Connection", "close, X-Hop, Set-Cookie, Content-Type"),
                ("x-hop", "1"),
                ("set-cookie", "a=1"),
                ("Keep-Alive", "timeout=5"),
                ("content-type", "text/html"),
                ("Set-Cookie", "b=2"),
                ("transfer-encoding", "chunked"),
                ("Proxy-Authenticate", "Basic"),
                ("upgrade", "h2"),
                ("server", "x"),
            ],
        );
        assert_eq!(
            lines.unwrap(),
            ["date: now", "set-cookie: a=1", "set-cookie: b=2", "content-type: text/html", "server: x"]
        );
        assert_eq!(cleaned(204, &[("content-length", "0"), ("etag", "x")]).unwrap(), ["etag: x"]);
        assert_eq!(cleaned(304, &[("content-length", "9")]).unwrap(), ["content-length: 9"]);
    }

    #[test]
    fn ambiguous_responses_are_refused() {
        for fields in [
            &[("content-length", "3"), ("transfer-encoding", "chunked")][..],
            &[("content-length", "3"), ("Content-Length", "3")],
            &[("content-length", "3, 3")],
            &[("content-length", "+3")],
            &[("content-length", "")],
            &[("transfer-encoding", "gzip, chunked")],
            &[("transfer-encoding", "gzip")],
            &[("Transfer-Encoding", "chunked"), ("transfer-encoding", "chunked")],
        ] {
            assert!(cleaned(200, fields).is_err(), "{fields:?}");
        }
    }
}
