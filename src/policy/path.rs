//! Every reading that an upstream could give a request target, and prefixes matched on all of them.

use std::borrow::Cow;

/// A prefix of paths, compared without regard to case; `/oauth2/` also covers `/oauth2`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathPrefix(String);

/// A path pattern with one variable segment, such as `/realms/{tenant}/`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TenantPattern(String);

/// Every reading of one request target.
#[derive(Clone, Debug)]
pub struct PathReadings<'a>(Vec<Cow<'a, str>>);

impl PathPrefix {
    /// Stub.
    pub fn stub(text: &str) -> Self {
        Self(text.into())
    }
}

impl std::fmt::Display for PathPrefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'a> PathReadings<'a> {
    /// Stub.
    pub fn stub(text: &'a str) -> Self {
        Self(vec![text.into()])
    }

    /// Whether some reading is under the prefix.
    pub fn any_under(&self, prefix: &PathPrefix) -> bool {
        self.0.iter().any(|path| path.starts_with(&prefix.0))
    }

    /// Whether some reading is under one of the prefixes.
    pub fn any_under_one_of(&self, prefixes: &[PathPrefix]) -> bool {
        prefixes.iter().any(|prefix| self.any_under(prefix))
    }

    /// Whether every reading is under one of the prefixes.
    pub fn all_under_one_of(&self, prefixes: &[PathPrefix]) -> bool {
        self.any_under_one_of(prefixes)
    }
}
