//! What an HTTP/2 head may not carry because it goes on as HTTP/1.1, where it would be read in another way.
//!
//! `h2` has refused already: names with capitals or outside tokens, NUL, CR, LF and other control bytes in values,
//! fields of the connection, `te` other than `trailers`, pseudo-headers that are unknown, twice, missing or behind
//! fields (RFC 9113 §8.2, §8.3), and DATA that differs from `content-length` (§8.1.1). Left to us:
//! 1. Values that begin or end with a blank (§8.2.1): an HTTP/1.1 reader cuts the blank off and sees another value.
//! 2. Targets outside visible ASCII, which `http::Uri` takes for UTF-8 and the scanner of HTTP/1 refuses.
//! 3. Methods longer than those of HTTP/1.
//!
//! Everything else about heads is asked of both versions alike, in `request::head`.

use super::scanner::METHOD_BYTES;
use crate::request::RequestError;
use http::request::Parts;

/// Checks a head that `h2` has parsed. Linear in its length.
///
/// # Errors
/// [`RequestError::Malformed`].
pub fn check(parts: &Parts) -> Result<(), RequestError> {
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    if parts.headers.values().map(http::HeaderValue::as_bytes).any(|v| blank(v.first()) || blank(v.last())) {
        return Err(RequestError::Malformed("blank around a field value"));
    }
    let target = parts.uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
    if !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(RequestError::Malformed("byte in the target"));
    }
    if parts.method.as_str().len() > METHOD_BYTES {
        return Err(RequestError::Malformed("method"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn checked(target: &str, value: &[u8]) -> Result<(), RequestError> {
        let value = http::HeaderValue::from_bytes(value).unwrap();
        let request = Request::builder().uri(target).header("authorization", value).body(()).unwrap();
        check(&request.into_parts().0)
    }

    #[test]
    fn what_http1_would_read_in_another_way_is_refused() {
        let cases: [(&str, &[u8], bool); 9] = [
            ("http://a/", b"key", true),
            ("http://a/", b"", true),
            ("http://a/", b"a key\twith blanks inside", true),
            ("http://a/", b" key", false),
            ("http://a/", b"\tkey", false),
            ("http://a/", b"key ", false),
            ("http://a/", b"key\t", false),
            ("http://a/oauth2/\u{e9}", b"", false),
            ("http://a/?a=\u{e9}", b"", false),
        ];
        for (target, value, passes) in cases {
            assert_eq!(
                checked(target, value).is_ok(),
                passes,
                "{target} {:?}",
                value.escape_ascii().to_string()
            );
        }
        let method = |length| Request::builder().method("A".repeat(length).as_str()).body(()).unwrap();
        assert!(check(&method(METHOD_BYTES).into_parts().0).is_ok());
        assert!(check(&method(METHOD_BYTES + 1).into_parts().0).is_err());
    }
}
