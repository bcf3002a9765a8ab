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

impl<'a> PathReadings<'a> {
    /// Whether some reading is under the prefix.
    pub fn any_under(&self, _prefix: &PathPrefix) -> bool {
        todo!()
    }

    /// Whether some reading is under one of the prefixes.
    pub fn any_under_one_of(&self, _prefixes: &[PathPrefix]) -> bool {
        todo!()
    }

    /// Whether every reading is under one of the prefixes.
    pub fn all_under_one_of(&self, _prefixes: &[PathPrefix]) -> bool {
        todo!()
    }
}
