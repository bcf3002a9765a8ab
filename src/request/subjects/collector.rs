//! Where values become facts: looked up, and put with the naming values or the hints.
//!
//! In: a field, a place and a value. Out: entries of [`SubjectFacts`].
//!
//! Of the values that the policy does not list only the first is kept in naming places, and none in hints: a second
//! one changes no decision, and a request may carry thousands.

use super::jwt;
use super::names::{Field, Kind};
use super::query;
use super::statement::{About, Statements};
use crate::policy::Policy;
use crate::policy::directory::Match;
use crate::policy::facts::{Named, Names, SubjectFacts};
use crate::policy::subject::{Application, ResourceServer, Tenant};
use crate::policy::uuid::{lenient_uuid, loose_uuid};
use std::borrow::Cow;

/// What may lead to more than one value.
const SEPARATORS: [char; 7] = ['\0', ',', ';', '?', '#', '&', ' '];

/// A kind of place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// Where the protocol defines the name.
    Naming,
    /// What some upstreams take for a naming place: another name for the field, another end of the pair, odd Base64,
    /// behind more pairs than every upstream reads; bodies of another form or method, path parameters, request objects.
    /// A hint, and moreover what keeps another value from being the only one: an upstream may well read this one.
    Doubtful,
    /// What says something of an application or a tenant, but does not name the one that is asked for: claims of tokens.
    Hint,
}

/// Adds facts.
pub(super) struct Collector<'a, 'f> {
    pub(super) policy: &'a Policy,
    facts: &'f mut SubjectFacts<'a>,
    /// Takes down all that is looked up, where a request is recorded.
    witness: Option<&'f mut Statements>,
}

impl<'a, 'f> Collector<'a, 'f> {
    pub(super) fn new(policy: &'a Policy, facts: &'f mut SubjectFacts<'a>) -> Self {
        Self { policy, facts, witness: None }
    }

    /// With somebody who takes down all that is looked up, listed or not.
    pub(super) fn witnessed(self, witness: &'f mut Statements) -> Self {
        Self { witness: Some(witness), ..self }
    }

    fn state(&mut self, about: About, place: Place, value: &str) {
        if let Some(witness) = &mut self.witness {
            witness.add(about, place, value);
        }
    }

    /// A field is there by name, whatever its value.
    pub(super) fn sight(&mut self, field: Field) {
        self.facts.names_client_id |= field.kind == Kind::ClientId;
    }

    /// A field with a value.
    pub(super) fn field(&mut self, place: Place, field: Field, value: Cow<'a, str>) {
        self.sight(field);
        let doubtful = place == Place::Naming && !field.exact;
        let place = if doubtful { Place::Doubtful } else { place };
        match field.kind {
            Kind::ClientId => self.application(place, value),
            Kind::TenantId => self.tenant(place, value),
            Kind::GrantType => self.grant_type(&value),
            Kind::Audience | Kind::Resource => self.audience(&value),
            Kind::Scope => self.scope(&value),
            Kind::Token(token) => jwt::read(self, token, &value),
        }
    }

    /// A `client_id`.
    pub(super) fn application(&mut self, place: Place, value: Cow<'a, str>) {
        let directory = self.policy.applications();
        self.state(About::Application, place, &value);
        other_readings(&value, &mut |reading| {
            self.state(About::Application, Place::Hint, reading);
            for found in directory.find(reading) {
                self.listed_application(Place::Hint, subject(&found));
            }
        });
        for found in directory.find(&value) {
            match found {
                Match::Exact(application) => return self.listed_application(place, application),
                Match::Variant(application) => self.listed_application(Place::Hint, application),
            }
        }
        if place != Place::Hint {
            unlisted(&mut self.facts.naming.applications, value);
        }
    }

    /// A tenant's id.
    pub(super) fn tenant(&mut self, place: Place, value: Cow<'a, str>) {
        let directory = self.policy.tenants();
        self.state(About::Tenant, place, &value);
        other_readings(&value, &mut |reading| {
            self.state(About::Tenant, Place::Hint, reading);
            for found in directory.find(reading) {
                self.listed_tenant(Place::Hint, subject(&found));
            }
        });
        for found in directory.find(&value) {
            match found {
                Match::Exact(tenant) => return self.listed_tenant(place, tenant),
                Match::Variant(tenant) => self.listed_tenant(Place::Hint, tenant),
            }
        }
        if place != Place::Hint {
            unlisted(&mut self.facts.naming.tenants, value);
        }
    }

    /// A tenant's id or name in a path, which is a naming place.
    pub(super) fn tenant_or_name(&mut self, value: &str) {
        for found in self.policy.tenants_by_name().find(value) {
            match found {
                Match::Exact(tenant) => return self.listed_tenant(Place::Naming, tenant),
                Match::Variant(tenant) => self.listed_tenant(Place::Hint, tenant),
            }
        }
        unlisted(&mut self.facts.naming.tenants, Cow::Owned(value.to_owned()));
    }

    /// A tenant that the policy lists. One that is named already needs no hint.
    pub(super) fn listed_tenant(&mut self, place: Place, tenant: &'a Tenant) {
        match place {
            Place::Naming => self.facts.naming.tenants.add(Named::Listed(tenant)),
            Place::Doubtful | Place::Hint => {
                hint(&self.facts.naming.tenants, &mut self.facts.hints.tenants, tenant)
            }
        }
    }

    fn listed_application(&mut self, place: Place, application: &'a Application) {
        match place {
            Place::Naming => self.facts.naming.applications.add(Named::Listed(application)),
            Place::Doubtful | Place::Hint => {
                hint(&self.facts.naming.applications, &mut self.facts.hints.applications, application);
            }
        }
    }

    fn grant_type(&mut self, value: &str) {
        let mut letters = value.chars().filter(|letter| !letter.is_whitespace() && !letter.is_control());
        let mut expected = "client_credentials".chars();
        let alike =
            expected.all(|letter| letters.next().is_some_and(|other| other.eq_ignore_ascii_case(&letter)));
        self.facts.client_credentials |= alike && letters.next().is_none();
    }

    /// `audience` (Auth0) or `resource` (RFC 8707 §2): one identifier, or several with blanks between them.
    fn audience(&mut self, value: &str) {
        self.identifier(value);
        if value.contains(char::is_whitespace) {
            value.split_whitespace().for_each(|word| self.identifier(word));
        }
        self.scope(value);
    }

    /// The longest identifier of which something is to be found.
    fn longest_identifier(&self) -> usize {
        let servers = &self.policy.parts().resource_servers;
        match self.witness {
            Some(_) => usize::MAX,
            None => servers.iter().map(|server| server.identifier.len() + 1).max().unwrap_or(0),
        }
    }

    /// `target-entity:<id>` with or without `:permissions`. The id may itself have colons.
    fn scope(&mut self, value: &str) {
        let longest = self.longest_identifier();
        for word in value.split(|letter: char| letter.is_whitespace() || letter == ',') {
            let Some((prefix, entity)) = word.split_once(':') else { continue };
            if prefix.eq_ignore_ascii_case("target-entity") {
                self.identifier(entity);
                let colons = entity.match_indices(':').map(|(at, _)| at).take_while(|at| *at <= longest);
                colons.filter_map(|at| entity.get(..at)).for_each(|id| self.identifier(id));
            }
        }
    }

    /// Looks an identifier up, a UUID in each form in which the policy may have it.
    fn identifier(&mut self, value: &str) {
        let value = value.trim();
        self.state(About::ResourceServer, Place::Hint, value);
        if self.policy.parts().resource_servers.is_empty() {
            return;
        }
        self.resource_server(self.policy.resource_server(value));
        if let Some(id) = lenient_uuid(value).or_else(|| loose_uuid(value)) {
            let id = uuid::Uuid::from_u128(id).to_string();
            self.resource_server(self.policy.resource_server(&id));
            self.resource_server(self.policy.resource_server(&id.to_ascii_uppercase()));
        }
    }

    fn resource_server(&mut self, found: Option<&'a ResourceServer>) {
        let servers = &mut self.facts.resource_servers;
        servers.extend(found.filter(|found| !servers.iter().any(|known| std::ptr::eq(*known, *found))));
    }
}

fn subject<'a, T>(found: &Match<'a, T>) -> &'a T {
    match found {
        Match::Exact(subject) | Match::Variant(subject) => subject,
    }
}

fn unlisted<'a, T>(names: &mut Names<'a, T>, value: Cow<'a, str>) {
    if names.all_listed() {
        names.add(Named::Unlisted(value));
    }
}

fn hint<'a, T>(naming: &Names<'a, T>, hints: &mut Names<'a, T>, subject: &'a T) {
    if !naming.listed().any(|named| std::ptr::eq(named, subject)) {
        hints.add(Named::Listed(subject));
    }
}

/// What an upstream could take a value for that decodes twice, or stops at a separator or NUL.
fn other_readings(value: &str, visit: &mut impl FnMut(&str)) {
    if value.contains('%') {
        visit(&query::decode_leniently(value));
    }
    if value.contains(SEPARATORS) {
        value.split(SEPARATORS).filter(|part| !part.is_empty()).for_each(visit);
    }
}
