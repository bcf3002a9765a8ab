//! Every reading that an upstream could give a request target, and prefixes matched on all of them.
//!
//! What is forwarded is the request as it came, and nobody here knows what the upstream makes of it. So the path is not
//! normalised in one way: a target → [`PathReadings`], the closure of all that servers and frameworks are known
//! to do to paths, in any order and any number of times. If any reading is protected, the ACL applies.
//!
//! | habit | whose |
//! | --- | --- |
//! | percent-decoding, whole, but slashes, but delimiters, unreserved alone; twice | all; Apache, aiohttp; Fastify; Envoy |
//! | `%uXXXX` | IIS |
//! | overlong and invalid UTF-8 | old decoders; Python's `ignore` |
//! | compatibility characters, best fit, narrowing to octets | NFKC; Windows; Node |
//! | `;parameters` dropped, or all behind the first semicolon | Tomcat, Jetty, JAX-RS; CGI-like |
//! | `\` as `/` | IIS, the WHATWG URL standard |
//! | slashes merged | nginx, Apache, Go, Quarkus |
//! | dot-segments resolved, all or up to any `..` | nearly all |
//! | dots and blanks around segments dropped | Windows, trimming frameworks |
//! | controls dropped, or all behind NUL, CR, LF | WHATWG; C |
//! | all behind `?` or `#` dropped, also after decoding | nearly all |
//! | scheme, authority, missing leading slash | absolute and network-path forms |
//!
//! Invariants: a transformation works on all occurrences in the path, so readings never multiply with the target's
//! length. The search is bounded; past the bound the readings are not exhaustive, and then every question is answered
//! in the way that closes. A path without anything odd has one reading and costs one scan, no allocation.
//!
//! Case is no reading: ASCII letters are compared without regard to it.
//!
//! Deliberately absent: file name aliases (8.3 names, `::$DATA`), endings such as `.json` that a framework may take off
//! the last segment, characters that only look alike to people (Cyrillic `о`), `X-Original-URL` and its like (never
//! forwarded).
//!
//! Sources: RFC 3986 §2.1, §3.3, §5.2.4, §6.2.2; RFC 9112 §3.2; Jakarta Servlet 6 §3.5; UAX #15; the WHATWG URL
//! standard.

mod closure;
mod compatibility;
mod decode;
mod prefix;
mod scan;
mod structure;
mod tenant;
mod transformation;

pub use prefix::{PathPrefix, PathPrefixError};
pub use tenant::{TenantPattern, TenantPatternError};

use closure::Closure;
use std::borrow::Cow;

/// Every reading of the path of one request target.
#[derive(Clone, Debug)]
pub struct PathReadings<'a> {
    /// The path as it came.
    raw: &'a str,
    /// All readings, the raw path among them, where there are several.
    closure: Option<Box<Closure>>,
}

impl<'a> PathReadings<'a> {
    /// The readings of a request target, path and query as they came. Linear and without allocation for a path
    /// without anything odd; bounded for every other.
    pub fn of(target: &'a str) -> Self {
        let raw =
            memchr::memchr(b'?', target.as_bytes()).and_then(|mark| target.get(..mark)).unwrap_or(target);
        if scan::scan(raw.as_bytes()).is_empty() {
            return Self { raw, closure: None };
        }
        let whole = lacks_path(raw).then_some(target.as_bytes());
        let closure = Closure::of([raw.as_bytes()].into_iter().chain(whole));
        Self { raw, closure: Some(Box::new(closure)) }
    }

    /// Whether there is but one reading, the path as it came.
    pub fn is_plain(&self) -> bool {
        self.closure.is_none()
    }

    /// The one reading, if there is but one.
    pub fn plain(&self) -> Option<&'a str> {
        self.is_plain().then_some(self.raw)
    }

    /// Whether the readings are all that there are. If not, the target was made to be read in very many ways, every
    /// question here is answered so that an ACL applies, and the target is best refused.
    pub fn is_exhaustive(&self) -> bool {
        self.closure.as_ref().is_none_or(|closure| closure.is_exhaustive())
    }

    /// The readings, the path as it came first; octets that are no UTF-8 are replaced.
    pub fn iter(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.octets().map(String::from_utf8_lossy)
    }

    /// Whether some reading is under the prefix; true where the readings are not exhaustive.
    pub fn any_under(&self, prefix: &PathPrefix) -> bool {
        match self.plain() {
            Some(path) => prefix.covers(path.as_bytes()),
            None => !self.is_exhaustive() || self.octets().any(|reading| prefix.covers(reading)),
        }
    }

    /// Whether some reading is under one of the prefixes; where the readings are not exhaustive, whether there are any
    /// prefixes.
    pub fn any_under_one_of(&self, prefixes: &[PathPrefix]) -> bool {
        prefixes.iter().any(|prefix| self.any_under(prefix))
    }

    /// Whether every reading is under one of the prefixes; false where the readings are not exhaustive.
    pub fn all_under_one_of(&self, prefixes: &[PathPrefix]) -> bool {
        self.is_exhaustive()
            && self.octets().all(|reading| prefixes.iter().any(|prefix| prefix.covers(reading)))
    }

    /// The distinct values of the pattern's variable, in their own case, as sent and as decoded; what is not ASCII
    /// both as UTF-8 and as Latin-1. Where the readings are not exhaustive, an empty value comes first, which no
    /// policy lists, so that nobody takes a value for the only one.
    pub fn tenants(&self, pattern: &TenantPattern) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        let mut values: Vec<Cow<'a, str>> = Vec::new();
        let mut add = |value: Cow<'a, str>| {
            if !values.contains(&value) {
                values.push(value);
            }
        };
        if !self.is_exhaustive() {
            add(Cow::Borrowed(""));
        }
        if let Some(value) = pattern.value(self.raw.as_bytes()).and_then(|value| str::from_utf8(value).ok()) {
            add(Cow::Borrowed(value));
        }
        for value in self.octets().filter_map(|reading| pattern.value(reading)) {
            let utf8 = str::from_utf8(value).ok();
            if let Some(text) = utf8 {
                add(Cow::Owned(text.to_owned()));
            }
            if !value.is_ascii() {
                add(Cow::Owned(value.iter().copied().map(char::from).collect()));
            }
        }
        values.into_iter()
    }

    fn octets(&self) -> impl Iterator<Item = &[u8]> {
        let plain = self.is_plain().then_some(self.raw.as_bytes());
        plain.into_iter().chain(self.closure.iter().flat_map(|closure| closure.iter()))
    }
}

/// Whether an authority is followed by no slash before the query, as in `http://host?/oauth2/`: whoever looks for the
/// first slash then finds one in the query.
fn lacks_path(raw: &str) -> bool {
    let hierarchy = structure::behind_scheme(raw.as_bytes()).unwrap_or(raw.as_bytes());
    let is_slash = |octet: &u8| matches!(octet, b'/' | b'\\');
    let slashes = hierarchy.iter().take_while(|octet| is_slash(octet)).count();
    slashes >= 2 && !hierarchy.iter().skip(slashes).any(is_slash)
}

#[cfg(test)]
mod tests;
