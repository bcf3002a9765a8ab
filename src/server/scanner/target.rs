//! Request targets, byte by byte: every one that passes is one that `http::Uri` holds unchanged.
//!
//! Accepted are origin form, absolute http(s) form, `*` of OPTIONS and the authority form of CONNECT (RFC 9112 §3.2), in
//! visible ASCII without `#`; no `<`, `>` or backtick in the path, no `"`, `<` or `>` in the query. Authorities are
//! narrower than RFC 3986's: a name of unreserved characters or a bracketed IPv6 address, and perhaps a port; no user,
//! no escapes. A test holds this to `http::Uri`, so that every target that passes can be held.

/// How far a target has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Target {
    part: Part,
    bytes: usize,
    form: Form,
}

/// Which forms there are beside the origin and the absolute one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Form {
    #[default]
    Any,
    /// OPTIONS: also the asterisk.
    Asterisk,
    /// CONNECT: the authority alone.
    Authority,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Part {
    #[default]
    Start,
    Asterisk,
    Http(usize),
    Https(usize),
    HostStart,
    Host,
    /// An IPv6 address, with so many colons.
    Literal(u8),
    LiteralEnd,
    Port,
    Path,
    Query,
}

const FORM: &str = "form of the target";

impl Target {
    /// Before the target of a request with this method.
    pub(super) fn of(method: &[u8]) -> Self {
        let (part, form) = match method {
            b"CONNECT" => (Part::HostStart, Form::Authority),
            b"OPTIONS" => (Part::Start, Form::Asterisk),
            _ => (Part::Start, Form::Any),
        };
        Self { part, bytes: 0, form }
    }

    /// Its length so far.
    pub(super) fn bytes(self) -> usize {
        self.bytes
    }

    /// Whether it may end here.
    pub(super) fn end(self) -> Result<(), &'static str> {
        match self.part {
            Part::Start | Part::Http(_) | Part::Https(_) | Part::HostStart | Part::Literal(_) => Err(FORM),
            Part::Asterisk | Part::Host | Part::LiteralEnd | Part::Port | Part::Path | Part::Query => Ok(()),
        }
    }

    /// Takes the bytes in front that change nothing about where it stands: how many.
    pub(super) fn plain(&mut self, run: &[u8]) -> usize {
        if !matches!(self.part, Part::Path | Part::Query) {
            return 0;
        }
        const PLAIN: [bool; 256] = plain_table();
        let odd = |&byte: &u8| !PLAIN.get(usize::from(byte)).copied().unwrap_or(false);
        let taken = run.iter().position(odd).unwrap_or(run.len());
        self.bytes += taken;
        taken
    }

    /// Takes the next byte, or says what is wrong with it.
    pub(super) fn step(&mut self, byte: u8) -> Result<(), &'static str> {
        if byte == b'#' {
            return Err("fragment in the target");
        }
        if !byte.is_ascii_graphic() {
            return Err("byte in the target");
        }
        self.bytes += 1;
        self.part = match self.part {
            Part::Path => in_path(byte)?,
            Part::Query if matches!(byte, b'"' | b'<' | b'>') => return Err("byte in the target"),
            Part::Query => Part::Query,
            Part::Start if byte == b'/' => Part::Path,
            Part::Start if byte == b'*' && self.form == Form::Asterisk => Part::Asterisk,
            Part::Start => in_scheme(Part::Http, b"http://", 0, byte)?,
            Part::Http(4) if byte.eq_ignore_ascii_case(&b's') => Part::Https(5),
            Part::Http(at) => in_scheme(Part::Http, b"http://", at, byte)?,
            Part::Https(at) => in_scheme(Part::Https, b"https://", at, byte)?,
            Part::HostStart | Part::Host | Part::Literal(_) | Part::LiteralEnd | Part::Port => {
                self.in_authority(byte)?
            }
            Part::Asterisk => return Err(FORM),
        };
        Ok(())
    }

    fn in_authority(self, byte: u8) -> Result<Part, &'static str> {
        Ok(match (self.part, byte) {
            (Part::HostStart, b'[') => Part::Literal(0),
            (Part::HostStart | Part::Host, b'-' | b'.' | b'_' | b'~') => Part::Host,
            (Part::HostStart | Part::Host, byte) if byte.is_ascii_alphanumeric() => Part::Host,
            (Part::Literal(colons), b'.') => Part::Literal(colons),
            (Part::Literal(colons), byte) if byte.is_ascii_hexdigit() => Part::Literal(colons),
            (Part::Literal(colons @ 0..7), b':') => Part::Literal(colons + 1),
            (Part::Literal(_), b']') => Part::LiteralEnd,
            (Part::Host | Part::LiteralEnd, b':') => Part::Port,
            (Part::Port, b'0'..=b'9') => Part::Port,
            (Part::Host | Part::LiteralEnd | Part::Port, b'/') if self.form != Form::Authority => Part::Path,
            _ => return Err("authority of the target"),
        })
    }
}

/// Whether a `:path` of HTTP/2 would pass as the target of HTTP/1: in origin form, or as the asterisk.
pub(in crate::server) fn check_path(path: &[u8]) -> Result<(), &'static str> {
    let mut target = match path.first() {
        Some(b'/') => Target::of(b"GET"),
        Some(b'*') => Target::of(b"OPTIONS"),
        _ => return Err(FORM),
    };
    let mut rest = path;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = match target.plain(rest) {
            0 => {
                target.step(byte)?;
                behind
            }
            plain => rest.get(plain..).unwrap_or_default(),
        };
    }
    target.end()
}

/// Letters, digits and signs that mean the same in a path and in a query.
#[expect(clippy::indexing_slicing, reason = "evaluated at compile time, below 256")]
const fn plain_table() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'-' | b'.' | b'_' | b'~' | b'/' | b'&' | b'=' | b'+' | b'%' | b':' | b';' | b','
            );
        byte += 1;
    }
    table
}

fn in_path(byte: u8) -> Result<Part, &'static str> {
    match byte {
        b'?' => Ok(Part::Query),
        b'<' | b'>' | b'`' => Err("byte in the target"),
        _ => Ok(Part::Path),
    }
}

fn in_scheme(part: fn(usize) -> Part, scheme: &[u8], at: usize, byte: u8) -> Result<Part, &'static str> {
    match scheme.get(at) {
        Some(expected) if expected.eq_ignore_ascii_case(&byte) && at + 1 == scheme.len() => {
            Ok(Part::HostStart)
        }
        Some(expected) if expected.eq_ignore_ascii_case(&byte) => Ok(part(at + 1)),
        _ => Err(FORM),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Uri;
    use proptest::prelude::*;

    fn passes(method: &str, target: &[u8]) -> bool {
        let mut machine = Target::of(method.as_bytes());
        target.iter().all(|&byte| machine.step(byte).is_ok()) && machine.end().is_ok()
    }

    #[test]
    fn forms() {
        let cases = [
            ("get", "/", true),
            ("get", "/a?b?c", true),
            ("get", "/{\"a\"}|^\\[]", true),
            ("get", "/?`{}|^\\", true),
            ("get", "/<", false),
            ("get", "/`", false),
            ("get", "/?\"", false),
            ("get", "//a", true),
            ("get", "", false),
            ("get", "*", false),
            ("OPTIONS", "*", true),
            ("OPTIONS", "**", false),
            ("OPTIONS", "/*", true),
            ("get", "?a", false),
            ("get", "a", false),
            ("get", "http://a", true),
            ("get", "HTTPS://a:1/", true),
            ("get", "http://a?b", false),
            ("get", "http:///", false),
            ("get", "http://:1/", false),
            ("get", "http://u@a/", false),
            ("get", "http://a%41/", false),
            ("get", "http://[::1]:1/", true),
            ("get", "http://[::1/", false),
            ("get", "http://[::1]a/", false),
            ("get", "http://[1:2:3:4:5:6:7:8:9]/", false),
            ("get", "http://a:1:2/", false),
            ("get", "httpss://a/", false),
            ("get", "http", false),
            ("get", "ftp://a/", false),
            ("CONNECT", "a:443", true),
            ("CONNECT", "/", false),
            ("CONNECT", "a:443/", false),
            ("CONNECT", "", false),
        ];
        for (method, target, expected) in cases {
            assert_eq!(passes(method, target.as_bytes()), expected, "{method} {target:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn what_passes_is_what_uri_holds(
            start in prop::sample::select(vec!["", "/", "/", "/a?", "http://", "https://a", "http://[", "*"]),
            tail in "[ -~\u{e9}\t]{0,12}|[a:/?@%\\[\\]0-9.]{0,24}",
            method in prop::sample::select(vec!["GET", "OPTIONS", "CONNECT"]),
        ) {
            let target = format!("{start}{tail}");
            if passes(method, target.as_bytes()) {
                let uri = Uri::try_from(target.as_bytes());
                prop_assert!(uri.is_ok(), "{} {:?}", method, target);
                let shown = uri.unwrap().to_string();
                let same = shown.eq_ignore_ascii_case(&target) || shown.eq_ignore_ascii_case(&format!("{target}/"));
                prop_assert!(same, "{:?} became {:?}", target, shown);
            }
        }

        #[test]
        fn every_origin_form_of_uri_passes(tail in "[ -~]{0,12}") {
            let target = format!("/{tail}");
            let held = Uri::try_from(target.as_bytes()).is_ok() && !target.contains('#');
            prop_assert_eq!(passes("get", target.as_bytes()), held, "{:?}", target);
        }
    }
}
