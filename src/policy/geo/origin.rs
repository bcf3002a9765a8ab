//! What an address can come from: a country or an autonomous system.

use super::country::CountryCode;
use std::fmt;

/// A country or an autonomous system.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Origin {
    /// An autonomous system, by its number (RFC 6793).
    Asn(u32),
    /// A country.
    Country(CountryCode),
    /// Nobody knows: the database cannot be read.
    Unread(OriginKind),
}

/// What a database is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OriginKind {
    /// Autonomous systems.
    Asn,
    /// Countries.
    Country,
}

impl Origin {
    /// What it is.
    pub fn kind(self) -> OriginKind {
        match self {
            Self::Asn(_) => OriginKind::Asn,
            Self::Country(_) => OriginKind::Country,
            Self::Unread(kind) => kind,
        }
    }

    /// As a number that tells it from others of its kind.
    pub(in crate::policy) fn number(self) -> u32 {
        match self {
            Self::Asn(number) => number,
            Self::Country(code) => code.number(),
            Self::Unread(_) => 0,
        }
    }

    /// From its kind and number.
    pub(in crate::policy) fn of(kind: OriginKind, number: u32) -> Self {
        match (kind, number) {
            (_, 0) => Self::Unread(kind),
            (OriginKind::Asn, number) => Self::Asn(number),
            (OriginKind::Country, number) => Self::Country(CountryCode::of_number(number)),
        }
    }
}

/// `CH`, `AS64496`
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asn(number) => write!(f, "AS{number}"),
            Self::Country(code) => write!(f, "{code}"),
            Self::Unread(_) => f.write_str("cannot be read"),
        }
    }
}

/// In words, in the plural.
impl fmt::Display for OriginKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Asn => "autonomous systems",
            Self::Country => "countries",
        })
    }
}
