//! [`TenantPattern`]: text of a policy → a pattern that takes a tenant's name out of a reading.

use super::prefix::{PathPrefix, PathPrefixError, ends_segment, strip_folded};
use std::fmt;
use std::str::FromStr;

const VARIABLE: &str = "{tenant}";

/// A path pattern with one variable segment, such as `/realms/{tenant}/`. What stands before and behind the
/// variable is matched as a [`PathPrefix`] is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TenantPattern {
    written: String,
    /// Up to the slash before the variable, that slash included.
    before: String,
    /// From the slash behind the variable, a last slash excluded.
    behind: String,
}

/// Why a text is no tenant pattern.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TenantPatternError {
    /// The variable is not there.
    #[error("the pattern `{0}` holds no `{{tenant}}`")]
    NoVariable(String),
    /// The variable is there more than once.
    #[error("the pattern `{0}` holds `{{tenant}}` more than once")]
    SeveralVariables(String),
    /// Something stands beside the variable.
    #[error("in the pattern `{0}`, `{{tenant}}` is not a whole segment")]
    NotASegment(String),
    /// The rest is no path.
    #[error(transparent)]
    Path(#[from] PathPrefixError),
}

impl TenantPattern {
    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The segment in the variable's place, if a reading matches and it is not empty.
    pub(super) fn value<'r>(&self, reading: &'r [u8]) -> Option<&'r [u8]> {
        let tail = strip_folded(reading, &self.before)?;
        let end = memchr::memchr(b'/', tail).unwrap_or(tail.len());
        let (value, rest) = tail.split_at_checked(end)?;
        let matches = strip_folded(rest, &self.behind).is_some_and(ends_segment);
        (matches && !value.is_empty()).then_some(value)
    }
}

impl FromStr for TenantPattern {
    type Err = TenantPatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((before, behind)) = text.split_once(VARIABLE) else {
            return Err(TenantPatternError::NoVariable(text.to_owned()));
        };
        if behind.contains(VARIABLE) {
            return Err(TenantPatternError::SeveralVariables(text.to_owned()));
        }
        PathPrefix::new(text)?;
        if !before.ends_with('/') || !ends_segment(behind.as_bytes()) {
            return Err(TenantPatternError::NotASegment(text.to_owned()));
        }
        let behind = behind.strip_suffix('/').unwrap_or(behind);
        Ok(Self { written: text.to_owned(), before: before.to_owned(), behind: behind.to_owned() })
    }
}

impl fmt::Display for TenantPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_segment() {
        let value = |pattern: &str, path: &'static str| {
            pattern
                .parse::<TenantPattern>()
                .unwrap()
                .value(path.as_bytes())
                .map(|v| str::from_utf8(v).unwrap())
        };
        assert_eq!(value("/realms/{tenant}/", "/realms/Acme/protocol"), Some("Acme"));
        assert_eq!(value("/realms/{tenant}/", "/REALMS/acme"), Some("acme"));
        assert_eq!(value("/realms/{tenant}", "/realms/acme/"), Some("acme"));
        assert_eq!(value("/realms/{tenant}/", "/realms/"), None);
        assert_eq!(value("/realms/{tenant}/", "/realms//acme"), None);
        assert_eq!(value("/realms/{tenant}/", "/realmsx/acme"), None);
        assert_eq!(value("/t/{tenant}/login/", "/t/acme/login"), Some("acme"));
        assert_eq!(value("/t/{tenant}/login/", "/t/acme/login/x"), Some("acme"));
        assert_eq!(value("/t/{tenant}/login/", "/t/acme/loginx"), None);
        assert_eq!(value("/{tenant}/", "/acme/x"), Some("acme"));
    }

    #[test]
    fn refuses_other_patterns() {
        let message = |text: &str| text.parse::<TenantPattern>().unwrap_err().to_string();
        assert_eq!(message("/realms/"), "the pattern `/realms/` holds no `{tenant}`");
        assert_eq!(
            message("/{tenant}/{tenant}"),
            "the pattern `/{tenant}/{tenant}` holds `{tenant}` more than once"
        );
        assert_eq!(message("/a{tenant}/"), "in the pattern `/a{tenant}/`, `{tenant}` is not a whole segment");
        assert_eq!(
            message("/a/{tenant}b"),
            "in the pattern `/a/{tenant}b`, `{tenant}` is not a whole segment"
        );
        assert_eq!(message("{tenant}/"), "the path `{tenant}/` does not begin with a slash");
    }
}
