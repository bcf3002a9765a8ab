//! The query of a request: names and values, and the options that every change takes.
//!
//! Clients' quirks are taken as meant: `undefined` and `null` stand for nothing, and so does an empty value.

use super::errors::{Errors, Problem};
use std::borrow::Cow;
use std::time::Duration;

/// The longest time in which a change may be confirmed.
const LONGEST_CONFIRMATION: Duration = Duration::from_secs(24 * 60 * 60);

/// The parameters of a query.
#[derive(Debug, Default)]
pub struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// What `?force` and `?confirmWithin` say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Whether a change may lock out whoever makes it.
    pub force: bool,
    /// The time after which it is rolled back unless it is confirmed.
    pub confirm_within: Option<Duration>,
}

impl<'a> Query<'a> {
    /// Reads a query; without one there are no parameters.
    pub fn parse(query: Option<&'a str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).collect())
    }

    /// The first value of a parameter, unless it stands for nothing.
    pub fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name).map(|(_, value)| &**value);
        found.filter(|value| !matches!(*value, "" | "undefined" | "null"))
    }

    /// The options of a change.
    ///
    /// # Errors
    /// A value that is none.
    pub fn options(&self) -> Result<Options, Problem> {
        let mut errors = Errors::default();
        let force = match self.value("force") {
            None | Some("false" | "0") => false,
            Some("true" | "1") => true,
            Some(_) => {
                errors.field("invalid", "force", "expected `true` or `false`");
                false
            }
        };
        let confirm_within = self.value("confirmWithin").and_then(|text| {
            let time = text.parse().ok().map(Duration::from_secs);
            let fine = time.filter(|time| !time.is_zero() && *time <= LONGEST_CONFIRMATION);
            if fine.is_none() {
                errors.field("invalid", "confirmWithin", "expected seconds, from 1 to 86400");
            }
            fine
        });
        errors.check().map(|()| Options { force, confirm_within })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let query = Query::parse(Some("name=a%20b+c&name=d&x=undefined&y=&z=null"));
        assert_eq!(query.value("name"), Some("a b c"));
        for name in ["x", "y", "z", "w"] {
            assert_eq!(query.value(name), None, "{name}");
        }
    }

    #[test]
    fn options() {
        let read = |text| Query::parse(Some(text)).options();
        assert_eq!(read("").unwrap(), Options::default());
        let both = Options { force: true, confirm_within: Some(Duration::from_secs(120)) };
        assert_eq!(read("force=true&confirmWithin=120").unwrap(), both);
        for text in
            ["force=yes", "confirmWithin=0", "confirmWithin=86401", "confirmWithin=-1", "confirmWithin=1.5"]
        {
            assert!(matches!(read(text), Err(Problem::Invalid(_))), "{text}");
        }
    }
}
