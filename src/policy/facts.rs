//! The facts of a request: all that a decision depends on, and nothing else.

use super::path::PathReadings;
use super::subject::{ApiKey, Application, ResourceServer, Tenant};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::net::IpAddr;

/// An application or a tenant as a request names it.
#[derive(Debug)]
pub enum Named<'a, T> {
    /// The policy lists it.
    Listed(&'a T),
    /// The policy does not list it; the value as sent, percent-decoded.
    Unlisted(Cow<'a, str>),
}

/// Listed subjects are the same when they are one object of the policy, however they were spelled.
impl<T> PartialEq for Named<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Listed(a), Self::Listed(b)) => std::ptr::eq(*a, *b),
            (Self::Unlisted(a), Self::Unlisted(b)) => a == b,
            _ => false,
        }
    }
}

/// Distinct values, in the order in which they were found. Hardly any request has two of a kind: there is no room for the
/// second, which every request would pay for.
#[derive(Debug)]
pub struct Names<'a, T>(SmallVec<[Named<'a, T>; 1]>);

impl<T> Default for Names<'_, T> {
    fn default() -> Self {
        Self(SmallVec::new())
    }
}

impl<'a, T> Names<'a, T> {
    /// Adds a value if it is new.
    pub fn add(&mut self, name: Named<'a, T>) {
        if !self.0.contains(&name) {
            self.0.push(name);
        }
    }

    /// The listed values.
    pub fn listed(&self) -> impl Iterator<Item = &'a T> + '_ {
        self.0.iter().filter_map(|name| match name {
            Named::Listed(subject) => Some(*subject),
            Named::Unlisted(_) => None,
        })
    }

    /// The one value, if there is exactly one and the policy lists it.
    pub fn sole_listed(&self) -> Option<&'a T> {
        match self.0.as_slice() {
            [Named::Listed(subject)] => Some(*subject),
            _ => None,
        }
    }

    /// Whether every value is listed; true where there is none.
    pub fn all_listed(&self) -> bool {
        self.0.iter().all(|name| matches!(name, Named::Listed(_)))
    }

    /// Whether no value was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Applications and tenants from one kind of place.
#[derive(Debug, Default)]
pub struct Candidates<'a> {
    /// Values of `client_id` and its like.
    pub applications: Names<'a, Application>,
    /// Values of `tenantId` and its like.
    pub tenants: Names<'a, Tenant>,
}

/// What a request says about the subjects that its decision may depend on.
#[derive(Debug, Default)]
pub struct SubjectFacts<'a> {
    /// From places where the protocol defines the name: they can open as well as close.
    pub naming: Candidates<'a>,
    /// From places where an upstream may or may not look: they can only close.
    pub hints: Candidates<'a>,
    /// Whether a `client_id` is there by name anywhere, in any spelling, naming place or not.
    pub names_client_id: bool,
    /// Whether some reading of the request is a client-credentials request (RFC 6749 §4.4).
    pub client_credentials: bool,
    /// The listed resource servers that it asks for.
    pub resource_servers: SmallVec<[&'a ResourceServer; 2]>,
}

/// The only input of a decision beside the policy.
#[derive(Debug)]
pub struct RequestFacts<'a> {
    /// The client's address, IPv4-mapped addresses folded; `None` where it cannot be determined.
    pub client: Option<IpAddr>,
    /// The listed API keys that it carries; keys that the policy does not know are the upstream's business.
    pub api_keys: SmallVec<[&'a ApiKey; 1]>,
    /// The readings of its target.
    pub path: PathReadings<'a>,
    /// The subjects that it names.
    pub subjects: SubjectFacts<'a>,
}

impl<'a> SubjectFacts<'a> {
    /// The listed applications, from either kind of place, each once.
    pub fn applications(&self) -> impl Iterator<Item = &'a Application> + '_ {
        let named = &self.naming.applications;
        let is_named = |hint: &&'a Application| named.listed().any(|known| std::ptr::eq(known, *hint));
        named.listed().chain(self.hints.applications.listed().filter(move |hint| !is_named(hint)))
    }

    /// The listed tenants, from either kind of place.
    pub fn tenants(&self) -> impl Iterator<Item = &'a Tenant> + '_ {
        self.naming.tenants.listed().chain(self.hints.tenants.listed())
    }
}
