//! A strict head as a request: bytes that the scanner let pass, and where it found fields → method, target, version,
//! fields.
//!
//! The scanner has read every byte: the first line has two blanks and ends in CRLF. Nothing is looked for twice.

use crate::request::fields::Place;
use crate::request::{Fields, RequestError, RequestHead, Target};
use bytes::{Buf, BytesMut};
use http::{Method, Uri, Version};
use memchr::memchr;

/// Takes a head apart; fields stay where they are. Linear.
///
/// # Errors
/// [`RequestError::Malformed`], which the scanner has ruled out.
pub(super) fn request(head: BytesMut, places: Vec<Place>) -> Result<Box<RequestHead>, RequestError> {
    parse(head, places).ok_or(RequestError::Malformed("head"))
}

fn parse(mut head: BytesMut, places: Vec<Place>) -> Option<Box<RequestHead>> {
    if head.starts_with(b"\r\n") {
        head.advance(2);
    }
    let (method, rest) = split(&head, b' ')?;
    let (target, rest) = split(rest, b' ')?;
    Some(Box::new(RequestHead {
        method: Method::from_bytes(method).ok()?,
        target: target_of(target)?,
        version: if rest.starts_with(b"HTTP/1.0") { Version::HTTP_10 } else { Version::HTTP_11 },
        fields: Fields::of_lines(head, places)?,
    }))
}

fn target_of(text: &[u8]) -> Option<Target> {
    Target::in_origin_form(text).or_else(|| Uri::try_from(text).ok().map(Target::from))
}

/// What is before a sign, and what is behind it.
fn split(text: &[u8], sign: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr(sign, text)?;
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
        let mut room = [httparse::EMPTY_HEADER; 32];
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
            framing in "(Content-LENGTH:[ \t]{0,2}[0-9][ \t]{0,2}\r\n|Transfer-encoding:[ \t]{0,2}Chunked[ \t]{0,2}\r\n)?",
            cut: prop::sample::Index,
        ) {
            let lines: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
            let head = BytesMut::from(&*format!("{blank}{method} {target} HTTP/1.{version}\r\n{lines}{framing}{lines}\r\n"));
            let limits = Limits {
                head: 4096,
                fields: 100,
                target: 4096,
                connections: 1,
                h2_streams: 1,
                h2_header_list: 1,
            };
            let mut scanner = Scanner::new(limits);
            let (front, back) = head.split_at(cut.index(head.len()));
            let partial = front.is_empty() || scanner.head(front) == Ok(Head::Partial);
            prop_assume!(partial && scanner.head(back) == Ok(Head::Whole(back.len())));
            let read = request(head.clone(), scanner.take_places()).unwrap();
            let mut expected = HeaderMap::new();
            let (method, target, version, fields) = twin(&head);
            for (name, value) in &fields {
                let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
                expected.append(name, http::HeaderValue::from_bytes(value).unwrap());
            }
            prop_assert_eq!(read.method.as_str(), method);
            prop_assert_eq!(read.target.to_string(), target);
            prop_assert_eq!(read.version == Version::HTTP_10, version == 0);
            prop_assert_eq!(HeaderMap::from(&read.fields), expected);
        }
    }
}
