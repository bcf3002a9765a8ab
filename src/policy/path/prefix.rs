//! [`PathPrefix`]: text of a policy → a prefix that readings are compared with.
//!
//! A prefix covers the path that it names and all below it, cut at whole segments: `/oauth2/` and `/oauth2` both cover
//! `/oauth2` and `/oauth2/authorize`, and neither covers `/oauth2x`. Likewise `/authorize` covers `/authorize/resume`
//! and not `/authorizeX`, which no upstream routes to the same page: other endings (`;x`, `%20`, `.`, `?`) are
//! the business of [`PathReadings`](super::PathReadings), which has a reading without them.
//!
//! Compared without regard to the case of ASCII letters. A prefix must itself be in normal form, since a spelling
//! that some upstream rewrites could miss requests: percent-encoding, parameters, dot-segments are refused.

use std::fmt;
use std::str::FromStr;

/// A prefix of paths, compared without regard to case; `/oauth2/` also covers `/oauth2`.
#[derive(Clone, Debug)]
pub struct PathPrefix(String);

/// Why a text is no path prefix.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PathPrefixError {
    /// It does not begin with a slash.
    #[error("the path `{0}` does not begin with a slash")]
    NoLeadingSlash(String),
    /// It holds a character that upstreams read in several ways.
    #[error("the path `{path}` holds `{}`: write the path as it is after decoding, in visible ASCII without any of `%;?#\\`", .found.escape_default())]
    Character {
        /// The whole text.
        path: String,
        /// The character.
        found: char,
    },
    /// Two slashes follow each other.
    #[error("the path `{0}` holds an empty segment")]
    EmptySegment(String),
    /// A segment ends in what some upstreams drop.
    #[error("the path `{path}` holds the segment `{segment}`: a segment cannot end in a dot or a plus sign")]
    SegmentEnd {
        /// The whole text.
        path: String,
        /// The segment.
        segment: String,
    },
}

impl PathPrefix {
    /// Parses a prefix.
    ///
    /// # Errors
    /// Where the text does not begin with a slash or is not in normal form.
    pub fn new(text: &str) -> Result<Self, PathPrefixError> {
        let path = || text.to_owned();
        let Some(below_root) = text.strip_prefix('/') else {
            return Err(PathPrefixError::NoLeadingSlash(path()));
        };
        if let Some(found) = text.chars().find(|&c| !c.is_ascii_graphic() || "%;?#\\".contains(c)) {
            return Err(PathPrefixError::Character { path: path(), found });
        }
        let segments = below_root.strip_suffix('/').unwrap_or(below_root);
        if segments.is_empty() {
            return if below_root.is_empty() {
                Ok(Self(path()))
            } else {
                Err(PathPrefixError::EmptySegment(path()))
            };
        }
        for segment in segments.split('/') {
            if segment.is_empty() {
                return Err(PathPrefixError::EmptySegment(path()));
            }
            if segment.ends_with(['.', '+']) {
                return Err(PathPrefixError::SegmentEnd { path: path(), segment: segment.to_owned() });
            }
        }
        Ok(Self(path()))
    }

    /// The prefix as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether one reading is this path or below it.
    pub(super) fn covers(&self, reading: &[u8]) -> bool {
        let base = self.base();
        // Most paths are elsewhere, which the letter behind the slash shows.
        let begins_alike = match (reading.get(1), base.as_bytes().get(1)) {
            (Some(first), Some(expected)) => first.eq_ignore_ascii_case(expected),
            (_, None) => true,
            (None, Some(_)) => false,
        };
        begins_alike && strip_folded(reading, base).is_some_and(ends_segment)
    }

    /// The prefix without its last slash.
    fn base(&self) -> &str {
        self.0.strip_suffix('/').unwrap_or(&self.0)
    }
}

/// What follows a prefix, compared without regard to case.
pub(super) fn strip_folded<'r>(reading: &'r [u8], prefix: &str) -> Option<&'r [u8]> {
    let (head, tail) = reading.split_at_checked(prefix.len())?;
    let prefix = prefix.as_bytes();
    (head == prefix || head.eq_ignore_ascii_case(prefix)).then_some(tail)
}

/// Whether a segment has just ended.
pub(super) fn ends_segment(tail: &[u8]) -> bool {
    matches!(tail.first(), None | Some(b'/'))
}

/// Prefixes are the same when they cover the same paths.
impl PartialEq for PathPrefix {
    fn eq(&self, other: &Self) -> bool {
        self.base().eq_ignore_ascii_case(other.base())
    }
}

impl Eq for PathPrefix {}

impl FromStr for PathPrefix {
    type Err = PathPrefixError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl fmt::Display for PathPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_itself_and_below() {
        for text in ["/oauth2", "/oauth2/", "/OAuth2/"] {
            let prefix = PathPrefix::new(text).unwrap();
            for path in ["/oauth2", "/oauth2/", "/oauth2/authorize", "/OAUTH2/x"] {
                assert!(prefix.covers(path.as_bytes()), "{text} {path}");
            }
            for path in ["", "/", "/oauth", "/oauth2x", "/oauth2x/", "oauth2/", "/x/oauth2/"] {
                assert!(!prefix.covers(path.as_bytes()), "{text} {path}");
            }
            assert_eq!(prefix.as_str(), text);
            assert_eq!(prefix.to_string(), text);
            assert_eq!(prefix, PathPrefix::new("/oauth2").unwrap());
        }
        let root = PathPrefix::new("/").unwrap();
        assert!(root.covers(b"/") && root.covers(b"/x"));
    }

    #[test]
    fn refuses_what_is_not_normal() {
        let message = |text: &str| PathPrefix::new(text).unwrap_err().to_string();
        assert_eq!(message(""), "the path `` does not begin with a slash");
        assert_eq!(message("oauth2/"), "the path `oauth2/` does not begin with a slash");
        assert_eq!(message("//"), "the path `//` holds an empty segment");
        assert_eq!(message("/a//b"), "the path `/a//b` holds an empty segment");
        assert_eq!(message("/a//"), "the path `/a//` holds an empty segment");
        assert!(message("/a/../b").starts_with("the path `/a/../b` holds the segment `..`"));
        for text in ["/a%20b", "/a;b", "/a?b", "/a#b", "/a\\b", "/a b", "/ä", "/a\n"] {
            assert!(matches!(PathPrefix::new(text), Err(PathPrefixError::Character { .. })), "{text}");
        }
        assert!(message("/a\n").contains("holds `\\n`"));
    }
}
