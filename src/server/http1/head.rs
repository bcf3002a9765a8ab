//! A strict head as a request: bytes that the scanner let pass in → method, target, version, fields.
//!
//! The scanner has read every byte: lines end in CRLF and nowhere else, the first has two blanks, the others a colon
//! behind a token. Here they are only taken apart where it found them to end.

use crate::request::{Fields, RequestError, RequestHead};
use bytes::{Bytes, BytesMut};
use http::{Method, Uri, Version};
use memchr::memchr;

/// Takes a head apart; values are parts of it. Linear.
///
/// # Errors
/// [`RequestError::Malformed`], which the scanner has ruled out.
pub(super) fn request(head: BytesMut) -> Result<RequestHead, RequestError> {
    parse(head).ok_or(RequestError::Malformed("head"))
}

fn parse(head: BytesMut) -> Option<RequestHead> {
    let start = if head.starts_with(b"\r\n") { 2 } else { 0 };
    let (first, mut at) = line(&head, start)?;
    let (method, rest) = split(first, b' ')?;
    let (target, version) = split(rest, b' ')?;
    let method = Method::from_bytes(method).ok()?;
    let uri = Uri::from_maybe_shared(Bytes::copy_from_slice(target)).ok()?;
    let version = if version == b"HTTP/1.0" { Version::HTTP_10 } else { Version::HTTP_11 };
    let mut fields = Fields::within(head);
    while let (field, behind) = line(fields.text(), at)?
        && !field.is_empty()
    {
        let (name, value) = split(field, b':')?;
        let begin = at + name.len() + 1 + (value.len() - value.trim_ascii_start().len());
        let name = at..at + name.len();
        let value = begin..begin + value.trim_ascii().len();
        fields.place(name, value)?;
        at = behind;
    }
    Some(RequestHead { method, uri, version, fields })
}

/// The line there, without its end, and where the next begins.
fn line(text: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = text.get(at..)?;
    let end = memchr(b'\r', rest)?;
    Some((rest.get(..end)?, at + end + 2))
}

/// What is before a sign, which is near, and what is behind it.
fn split(text: &[u8], sign: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|&byte| byte == sign)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::super::super::scanner::{Head, Scanner};
    use super::*;
    use crate::config::Limits;
    use http::HeaderMap;
    use proptest::prelude::*;

    /// As the parser of everybody else reads it.
    fn twin(head: &[u8]) -> (String, String, u8, Vec<(String, Vec<u8>)>) {
        let mut room = [httparse::EMPTY_HEADER; 16];
        let mut parsed = httparse::Request::new(&mut room);
        assert!(parsed.parse(head).unwrap().is_complete());
        let fields =
            parsed.headers.iter().map(|field| (field.name.to_ascii_lowercase(), field.value.to_vec()));
        (
            parsed.method.unwrap().into(),
            parsed.path.unwrap().into(),
            parsed.version.unwrap(),
            fields.collect(),
        )
    }

    proptest! {
        #[test]
        fn a_head_that_the_scanner_passes_is_read_as_everybody_reads_it(
            blank in "(\r\n)?",
            method in "GET|POST|[A-Z!a-z]{1,6}",
            target in "/[!-~]{0,12}",
            version in "[01]",
            fields in prop::collection::vec("[Xx]-[a-zA-Z0-9_.!-]{1,8}:[ \t]{0,2}([!-~\u{80}-\u{ff}][ \t!-~]{0,9})?[ \t]{0,2}", 0..9),
        ) {
            let lines: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
            let head = BytesMut::from(&*format!("{blank}{method} {target} HTTP/1.{version}\r\n{lines}\r\n"));
            let limits = Limits {
                head: 4096,
                fields: 100,
                target: 4096,
                connections: 1,
                h2_streams: 1,
                h2_header_list: 1,
            };
            let whole = Scanner::new(limits).head(&head) == Ok(Head::Whole(head.len()));
            prop_assume!(whole);
            let read = request(head.clone()).unwrap();
            let mut expected = HeaderMap::new();
            let (method, target, version, fields) = twin(&head);
            for (name, value) in &fields {
                let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
                expected.append(name, http::HeaderValue::from_bytes(value).unwrap());
            }
            prop_assert_eq!(read.method.as_str(), method);
            prop_assert_eq!(read.uri.to_string(), target);
            prop_assert_eq!(read.version == Version::HTTP_10, version == 0);
            prop_assert_eq!(HeaderMap::from(&read.fields), expected);
        }
    }
}
