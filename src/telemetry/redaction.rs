//! Takes out of a request what must not get into a log, and makes the rest safe to write on one line.
//!
//! In: a raw target, a `Referer` or any other text that a client sent. Out: one line's worth of printable ASCII.
//!
//! 1. Query values never appear; a name stays only where `=` follows it, so that a bare `?TOKEN` does not.
//! 2. The authority of an absolute target or a `Referer` loses its userinfo; fragments are dropped.
//! 3. A path segment that looks like a one-time code becomes `-`: identity servers put those into paths
//!    (`/password/change/CODE`). UUIDs stay: they are ids. A short code of letters alone is not recognised.
//! 4. Everything outside printable ASCII, and `"` and `\`, is escaped: no client writes a line of its own.

use std::fmt::Write;

/// The most of any one text that is logged, in bytes.
pub const LONGEST_TEXT: usize = 1024;
/// The shortest path segment that is taken for a code.
const SHORTEST_CODE: usize = 20;

/// A request target or a `Referer`, redacted.
pub fn target(raw: &str) -> String {
    let raw = raw.split('#').next().unwrap_or_default();
    let (path, query) = match raw.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (raw, None),
    };
    let mut out = String::with_capacity(raw.len().min(LONGEST_TEXT));
    let path = match path.split_once("//") {
        Some((scheme, rest)) if scheme.is_empty() || scheme.ends_with(':') => {
            let (authority, path) =
                rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
            let host = authority.rsplit('@').next().unwrap_or_default();
            escape_into(&mut out, &format!("{scheme}//{host}"));
            path
        }
        _ => path,
    };
    push_segments(&mut out, path);
    if let Some(query) = query {
        push_query(&mut out, query);
    }
    shorten(&mut out);
    out
}

/// The path of a target, redacted or not: without scheme, authority and query.
pub fn path_of(target: &str) -> &str {
    let behind_authority = || {
        let (_, rest) = target.split_once("://")?;
        rest.find('/').and_then(|slash| rest.get(slash..))
    };
    let path = if target.starts_with('/') { target } else { behind_authority().unwrap_or(target) };
    path.split('?').next().unwrap_or_default()
}

/// Any other text of a client, such as a `User-Agent`, safe to write.
pub fn text(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len().min(LONGEST_TEXT));
    escape_into(&mut out, raw);
    shorten(&mut out);
    out
}

fn push_segments(out: &mut String, path: &str) {
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            out.push('/');
        }
        if looks_like_code(segment) {
            out.push('-');
        } else {
            escape_into(out, segment);
        }
    }
}

fn push_query(out: &mut String, query: &str) {
    out.push('?');
    for (index, pair) in query.split(['&', ';']).enumerate() {
        if index > 0 {
            out.push('&');
        }
        match pair.split_once('=') {
            Some((name, _)) if !looks_like_code(name) => {
                escape_into(out, name);
                out.push_str("=-");
            }
            Some(_) | None => out.push('-'),
        }
    }
}

fn looks_like_code(segment: &str) -> bool {
    let letters = segment.bytes().any(|byte| byte.is_ascii_alphabetic());
    let digits = segment.bytes().any(|byte| byte.is_ascii_digit());
    segment.len() >= SHORTEST_CODE && letters && digits && ::uuid::Uuid::parse_str(segment).is_err()
}

fn escape_into(out: &mut String, raw: &str) {
    for byte in raw.bytes().take(LONGEST_TEXT + 1) {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b' '..=b'~' => out.push(char::from(byte)),
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
}

/// INVARIANT: only ASCII is ever written, so every index is a boundary.
fn shorten(out: &mut String) {
    if out.len() > LONGEST_TEXT {
        out.truncate(LONGEST_TEXT);
        out.push_str("...");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn targets() {
        let cases = [
            ("/oauth2/authorize?client_id=abc&state=SECRET", "/oauth2/authorize?client_id=-&state=-"),
            ("/a?SECRET", "/a?-"),
            ("/a?x=1;SECRET", "/a?x=-&-"),
            ("/a?", "/a?-"),
            ("/a#SECRET", "/a"),
            ("/a?b=c#SECRET", "/a?b=-"),
            ("http://user:SECRET@host:80/p?q=SECRET", "http://host:80/p?q=-"),
            ("//user:SECRET@host/p", "//host/p"),
            ("http://user:SECRET@host", "http://host"),
            ("/password/change/YkVZ6i0_S3cret-0123456789abcdef", "/password/change/-"),
            (
                "/api/ip-acl/fba75c7b-8c27-4cdd-840e-694d808d0aab",
                "/api/ip-acl/fba75c7b-8c27-4cdd-840e-694d808d0aab",
            ),
            ("/.well-known/openid-configuration", "/.well-known/openid-configuration"),
            ("/a?eyJhbGciOiJIUzI1NiJ9SECRET0=", "/a?-"),
            ("/\"\\\n\u{e4}", "/\\\"\\\\\\x0a\\xc3\\xa4"),
            ("*", "*"),
            ("", ""),
        ];
        for (raw, expected) in cases {
            assert_eq!(target(raw), expected, "{raw:?}");
        }
    }

    #[test]
    fn paths_of_targets() {
        let cases = [
            ("/a/b?c=d", "/a/b"),
            ("https://host:8443/a?b", "/a"),
            ("https://host", "https://host"),
            ("//host/a", "//host/a"),
            ("*", "*"),
            ("/a?b=http://c/d", "/a"),
        ];
        for (target, path) in cases {
            assert_eq!(path_of(target), path, "{target}");
        }
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(text(&"a".repeat(5000)).len(), LONGEST_TEXT + 3);
    }

    proptest! {
        #[test]
        fn nothing_breaks_out_of_a_line(raw in ".*") {
            for out in [target(&raw), text(&raw)] {
                prop_assert!(out.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
                let unescaped = out.replace("\\\\", "").replace("\\\"", "");
                prop_assert!(!unescaped.contains('"'));
            }
        }

        #[test]
        fn query_values_never_appear(path in "/[a-z/]{0,9}", name in "[a-z]{0,5}", value in "[A-Z]{1,30}") {
            let out = target(&format!("{path}?{name}={value}&x={value}#{value}"));
            prop_assert!(!out.contains(&value));
        }
    }
}
