//! Header blocks of requests: field lines as they are decoded → a head, or trailers, or what is wrong with them.
//!
//! Two ways to be refused. What RFC 9113 calls malformed (§8.1.1) resets the stream: names that are no tokens in lower
//! case, control bytes in values, fields of the connection, `te` other than `trailers`, pseudo-headers that are
//! unknown, twice, missing or behind fields. What is well-formed here but would be read in another way in HTTP/1.1, or is
//! refused there, gets the same answer as there: blanks around a value, targets and methods that the scanner of
//! HTTP/1 does not let pass, a list that is too large.
//!
//! Everything else about heads is asked of both versions alike, in `request::head`.

use super::hpack::Line;
use crate::http1::{decimal, text_length};
use crate::request::fields::USUAL_FIELDS;
use crate::request::{Fields, RequestError, RequestHead, Target};
use crate::server::scanner::{METHOD_BYTES, check_path, is_lower_token};
use bytes::Bytes;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use std::fmt;

/// What each field counts beside its text (RFC 9113 §6.5.2).
const OVERHEAD: usize = 32;
/// Room for the text of a head of the usual size, and a field of ours.
const USUAL_BYTES: usize = 640;

/// Why a block is no head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The stream is reset.
    Malformed,
    /// The request is answered.
    Refused(RequestError),
}

/// A head as it comes.
pub struct Head {
    method: Option<Method>,
    scheme: Option<Scheme>,
    authority: Option<Authority>,
    path: Option<Target>,
    fields: Fields,
    length: Option<u64>,
    /// Bytes that the list may still have.
    left: usize,
    fault: Option<Fault>,
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head").field("fault", &self.fault).finish_non_exhaustive()
    }
}

/// A head, and how long it says that its body is.
#[derive(Debug)]
pub struct Read {
    /// The head.
    pub head: Box<RequestHead>,
    /// What `Content-Length` says.
    pub length: Option<u64>,
}

impl Head {
    /// Before its first line; the list may have so many bytes.
    pub fn new(list: usize) -> Self {
        Self {
            method: None,
            scheme: None,
            authority: None,
            path: None,
            fields: Fields::with_capacity(USUAL_FIELDS, USUAL_BYTES),
            length: None,
            left: list,
            fault: None,
        }
    }

    /// Takes the next line. Behind a fault nothing is kept.
    pub fn take(&mut self, line: &Line<'_>) {
        if self.fault.is_some() {
            return;
        }
        let taken = match self.left.checked_sub(line.name.len() + line.value.len() + OVERHEAD) {
            None => Err(Fault::Refused(RequestError::HeadTooLarge)),
            Some(left) => {
                self.left = left;
                if line.name.first() == Some(&b':') { self.pseudo(line) } else { self.field(line) }
            }
        };
        self.fault = taken.err();
    }

    fn pseudo(&mut self, line: &Line<'_>) -> Result<(), Fault> {
        if !self.fields.is_empty() {
            return Err(Fault::Malformed);
        }
        match line.name {
            b":method" => once(&mut self.method, method(line.value)?),
            b":scheme" => once(&mut self.scheme, scheme(line.value)?),
            b":authority" => {
                let authority = Bytes::copy_from_slice(line.value);
                once(
                    &mut self.authority,
                    Authority::from_maybe_shared(authority).map_err(|_| Fault::Malformed)?,
                )
            }
            // Its form depends on the method, which may come later.
            b":path" => {
                check_path(line.value).map_err(refused)?;
                once(&mut self.path, Target::in_origin_form(line.value).ok_or(Fault::Malformed)?)
            }
            _ => Err(Fault::Malformed),
        }
    }

    fn field(&mut self, line: &Line<'_>) -> Result<(), Fault> {
        check_field(line)?;
        if line.name == b"content-length" {
            self.length = Some(length(line.value).ok_or(Fault::Malformed)?);
        }
        let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
        if blank(line.value.first()) || blank(line.value.last()) {
            return Err(Fault::Refused(RequestError::Malformed("blank around a field value")));
        }
        self.fields.push(line.name, line.value, line.sensitive);
        Ok(())
    }

    /// Bytes that the list may still have.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Whether the method is HEAD, as far as is known.
    pub fn is_head(&self) -> bool {
        self.method == Some(Method::HEAD)
    }

    /// The whole head. `ends`: there is no body.
    ///
    /// # Errors
    /// The first fault that was found.
    pub fn end(self, ends: bool) -> Result<Read, Fault> {
        let Self { method, scheme, authority, path, fields, length, fault, left: _ } = self;
        fault.map_or(Ok(()), Err)?;
        let method = method.ok_or(Fault::Malformed)?;
        if ends && length.is_some_and(|length| length > 0) {
            return Err(Fault::Malformed);
        }
        // CONNECT is for an authority alone (RFC 9113 §8.5).
        let is_connect = method == Method::CONNECT;
        if scheme.is_none() != is_connect || path.is_none() != is_connect {
            return Err(Fault::Malformed);
        }
        if path.as_ref().is_some_and(|path| path.path() == "*") && method != Method::OPTIONS {
            return Err(refused("form of the target"));
        }
        let target = match path {
            Some(path) => path.at(scheme, authority),
            None => Target::in_authority_form(authority),
        };
        Ok(Read { head: Box::new(RequestHead { method, target, version: Version::HTTP_2, fields }), length })
    }
}

/// Trailers of a request, from their lines. `None`: they are malformed, or more than the list may have.
pub(super) struct Trailers {
    fields: Option<HeaderMap>,
    left: usize,
}

impl Trailers {
    /// Before the first line; the list may have so many bytes.
    pub(super) fn new(list: usize) -> Self {
        Self { fields: Some(HeaderMap::new()), left: list }
    }

    /// Takes the next line.
    pub(super) fn take(&mut self, line: &Line<'_>) {
        let left = self.left.checked_sub(line.name.len() + line.value.len() + OVERHEAD);
        self.left = left.unwrap_or(0);
        let field = left.and_then(|_| {
            check_field(line).ok()?;
            Some((HeaderName::from_bytes(line.name).ok()?, HeaderValue::from_bytes(line.value).ok()?))
        });
        let added = match (field, &mut self.fields) {
            (Some((name, value)), Some(fields)) => fields.try_append(name, value).is_ok(),
            _ => false,
        };
        if !added {
            self.fields = None;
        }
    }

    /// All of them.
    pub(super) fn end(self) -> Option<HeaderMap> {
        self.fields
    }
}

/// What RFC 9113 §8.2 asks of a field.
fn check_field(line: &Line<'_>) -> Result<(), Fault> {
    let is_fine = is_lower_token(line.name)
        && text_length(line.value) == line.value.len()
        && !is_of_connection(line.name)
        && (line.name != b"te" || line.value == b"trailers");
    if is_fine { Ok(()) } else { Err(Fault::Malformed) }
}

/// Fields that say something of a connection (§8.2.2).
pub(super) fn is_of_connection(name: &[u8]) -> bool {
    matches!(name, b"connection" | b"keep-alive" | b"proxy-connection" | b"transfer-encoding" | b"upgrade")
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), Fault> {
    if place.replace(value).is_none() { Ok(()) } else { Err(Fault::Malformed) }
}

fn refused(what: &'static str) -> Fault {
    Fault::Refused(RequestError::Malformed(what))
}

fn method(value: &[u8]) -> Result<Method, Fault> {
    if value.len() > METHOD_BYTES {
        return Err(refused("method"));
    }
    Method::from_bytes(value).map_err(|_| Fault::Malformed)
}

/// A number as the scanner of HTTP/1 takes it: digits without a leading zero, few enough that none is too large.
fn length(value: &[u8]) -> Option<u64> {
    decimal(value).filter(|_| value.len() <= 18 && (value.len() == 1 || !value.starts_with(b"0")))
}

fn scheme(value: &[u8]) -> Result<Scheme, Fault> {
    match value {
        value if value.eq_ignore_ascii_case(b"https") => Ok(Scheme::HTTPS),
        value if value.eq_ignore_ascii_case(b"http") => Ok(Scheme::HTTP),
        _ => Err(refused("a target that is neither http nor https")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: [(&str, &str); 4] =
        [(":method", "GET"), (":scheme", "https"), (":authority", "idp.example"), (":path", "/a?b=c")];

    fn read(lines: &[(&str, &str)], ends: bool) -> Result<Read, Fault> {
        let mut head = Head::new(4096);
        for (name, value) in lines {
            head.take(&Line { name: name.as_bytes(), value: value.as_bytes(), sensitive: false });
        }
        head.end(ends)
    }

    fn with(lines: &[(&str, &str)]) -> Result<Read, Fault> {
        read(&[&PLAIN[..], lines].concat(), true)
    }

    /// With another value for a pseudo-header.
    fn saying(name: &str, value: &str) -> Result<Read, Fault> {
        let lines = PLAIN.map(|(known, usual)| (known, if known == name { value } else { usual }));
        read(&lines, true)
    }

    fn is_malformed(read: &Result<Read, Fault>) -> bool {
        matches!(read, Err(Fault::Malformed))
    }

    fn is_refused(read: &Result<Read, Fault>) -> bool {
        matches!(read, Err(Fault::Refused(_)))
    }

    #[test]
    fn a_head_is_what_its_lines_say() {
        let Read { head, length } = with(&[("cookie", "a=b"), ("x", "")]).unwrap();
        assert_eq!((head.method, head.version, length), (Method::GET, Version::HTTP_2, None));
        assert_eq!(head.target.to_string(), "https://idp.example/a?b=c");
        let fields: Vec<_> = head.fields.iter().map(|field| (field.name(), field.value)).collect();
        assert_eq!(fields, [("cookie", b"a=b".as_slice()), ("x", b"")]);
        let post = [&PLAIN[..], &[("content-length", "5")]].concat();
        assert_eq!(read(&post, false).unwrap().length, Some(5));
    }

    #[test]
    fn targets_are_those_of_http1() {
        for path in ["/", "/a//b/../c;d?e=%2f", "/?", "//x"] {
            let head = saying(":path", path).unwrap().head;
            assert_eq!(head.target.path_and_query().unwrap(), path);
        }
        let refused = [
            "",
            "a",
            "?a",
            "*",
            "/a b",
            "/a\r",
            "/\0",
            "/\u{e9}",
            "/#",
            "/a?b#c",
            "http://b/",
            "/<",
            "/\x7f",
        ];
        for path in refused {
            assert!(is_refused(&saying(":path", path)), "{path:?}");
        }
        let options = [(":method", "OPTIONS"), (":scheme", "http"), (":authority", "a"), (":path", "*")];
        assert!(read(&options, true).is_ok());
        let connect = read(&[(":method", "CONNECT"), (":authority", "a:443")], true).unwrap().head;
        assert_eq!((connect.method, connect.target.authority().unwrap()), (Method::CONNECT, "a:443"));
    }

    #[test]
    fn a_path_is_no_longer_than_http_can_hold() {
        for (bytes, fault) in [(65_534, None), (65_535, Some(Fault::Malformed))] {
            let path = format!("/{}", "a".repeat(bytes - 1));
            let mut head = Head::new(1 << 20);
            for (name, usual) in PLAIN {
                let value = if name == ":path" { &path } else { usual };
                head.take(&Line { name: name.as_bytes(), value: value.as_bytes(), sensitive: false });
            }
            assert_eq!(head.end(true).err(), fault, "{bytes}");
        }
    }

    #[test]
    fn pseudo_headers_are_there_once_and_in_front() {
        for (name, value) in PLAIN {
            let without: Vec<_> = PLAIN.into_iter().filter(|line| line.0 != name).collect();
            // `Host` may say what `:authority` does not.
            assert_eq!(is_malformed(&read(&without, true)), name != ":authority", "{name}");
            assert!(is_malformed(&with(&[(name, value)])), "{name} twice");
        }
        assert!(is_malformed(&with(&[("a", "b"), (":path", "/")])));
        assert!(is_malformed(&with(&[(":status", "200")])));
        assert!(is_malformed(&with(&[(":protocol", "websocket")])));
        assert!(is_malformed(&saying(":method", "CONNECT")), "CONNECT has no path");
        for (name, value, malformed) in [
            (":method", "", true),
            (":method", "G T", true),
            (":method", "A234567890123456789012345678901234", false),
            (":scheme", "ftp", false),
            (":scheme", "", false),
            (":authority", "", true),
            (":authority", "a b", true),
        ] {
            let read = saying(name, value);
            assert!(if malformed { is_malformed(&read) } else { is_refused(&read) }, "{name} {value:?}");
        }
    }

    #[test]
    fn fields_are_those_of_http2_and_of_http1() {
        for (name, value) in [
            ("Upper", ""),
            ("", ""),
            ("a b", ""),
            ("a:", ""),
            ("a\0", ""),
            ("\u{e9}", ""),
            ("a", "b\r\nc: d"),
            ("a", "\0"),
            ("a", "\x7f"),
            ("connection", "x"),
            ("keep-alive", "x"),
            ("proxy-connection", "x"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("te", "gzip"),
            ("content-length", "+1"),
            ("content-length", ""),
            ("content-length", "00"),
            ("content-length", "05"),
            ("content-length", "99999999999999999999"),
            ("content-length", "1"),
        ] {
            assert!(is_malformed(&with(&[(name, value)])), "{name:?} {value:?}");
        }
        for value in [" key", "\tkey", "key ", "key\t", " "] {
            assert!(is_refused(&with(&[("authorization", value)])), "{value:?}");
        }
        for (name, value) in [("te", "trailers"), ("a", "b\tc d"), ("a", "\u{e9}"), ("content-length", "0")] {
            assert!(with(&[(name, value)]).is_ok(), "{name:?} {value:?}");
        }
    }

    #[test]
    fn a_list_has_its_bound() {
        let large = "x".repeat(3800);
        assert!(with(&[("a", &large)]).is_ok());
        let read = with(&[("a", &large), ("b", &large)]);
        assert!(matches!(read, Err(Fault::Refused(RequestError::HeadTooLarge))));
    }

    #[test]
    fn trailers_are_fields_alone() {
        let read = |lines: &[(&str, &str)]| {
            let mut trailers = Trailers::new(200);
            for (name, value) in lines {
                trailers.take(&Line { name: name.as_bytes(), value: value.as_bytes(), sensitive: false });
            }
            trailers.end()
        };
        assert_eq!(read(&[("sum", "1"), ("sum", "2")]).unwrap().get_all("sum").iter().count(), 2);
        for line in [(":path", "/"), ("Sum", "1"), ("connection", "x"), ("a", "b\r"), ("a", &"x".repeat(200))]
        {
            assert!(read(&[line, ("b", "c")]).is_none(), "{line:?}");
        }
    }
}
