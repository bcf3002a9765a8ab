//! Applications, tenants and resource servers that a request names.
//!
//! In: a head, and a body where a decision depends on it. Out: [`SubjectFacts`].
//!
//! | place | kind | file |
//! | --- | --- | --- |
//! | path patterns, `Host`, tenant headers | naming | here |
//! | query | naming by exact name; hint by other spellings; doubtful behind a path with `;` or such | [`query`] |
//! | urlencoded body | as the query for POST; else doubtful | [`form`] |
//! | user of `Authorization: Basic` | naming; doubtful in odd Base64 | [`basic`] |
//! | JSON body | doubtful; naming at top level of a POST with `json_names` | [`json`] |
//! | multipart body | doubtful | [`multipart`] |
//! | JWTs in parameters, bodies and `Authorization` | hint; of request objects doubtful | [`jwt`] |
//! | what follows `;` or `%3F` in the path | doubtful | here |
//!
//! A naming place in another spelling (`Client_ID`, `a=b;client_id=…`, Basic in odd Base64) is doubtful too. A doubtful
//! place gives a hint; but if the policy does not list its value, the naming places no longer give exactly one: or else
//! `client_id=OPEN&;client_id=other`, or `client_id=OPEN` before a JSON body with another, would take an unlisted
//! application past the default tenant where the upstream reads the other one.
//!
//! INVARIANT: a hint only ever adds; it neither takes a naming value away nor makes one of itself. A naming value
//! that is not the id to the letter but might be taken for it is both an unlisted value and a hint.
//!
//! Secrets pass through here and are not kept: of `Basic` the user alone, of JWTs single claims.

pub(super) mod basic;
mod collector;
mod content_type;
mod form;
mod json;
mod jwt;
mod multipart;
mod names;
mod query;
mod statement;

pub use statement::{Listed, Statements, StatementsError};

use super::error::RequestError;
use super::{FieldName, RequestHead, head};
use crate::policy::Policy;
use crate::policy::facts::{RequestFacts, SubjectFacts};
use crate::policy::path::PathReadings;
use collector::{Collector, Place};
use content_type::ContentType;
use http::Method;
use smallvec::SmallVec;

/// Adds what the head names. No allocation where every value is a listed UUID without escapes.
pub(super) fn from_head<'a>(policy: &'a Policy, facts: &mut RequestFacts<'a>, request: &'a RequestHead) {
    let RequestFacts { path, subjects, .. } = facts;
    collect_head(&mut Collector::new(policy, subjects), path, request);
}

fn collect_head<'a>(collector: &mut Collector<'a, '_>, path: &PathReadings<'a>, request: &'a RequestHead) {
    for pattern in &collector.policy.rules().tenant_patterns {
        for tenant in path.tenants(pattern) {
            let tenant: &str = tenant.as_ref();
            collector.tenant_or_name(tenant);
        }
    }
    host(collector, request);
    tenant_headers(collector, request);
    if let Some(query) = request.target.query() {
        let sure = query_begins_at_the_mark(request.target.path());
        query::read(collector, if sure { Place::Naming } else { Place::Doubtful }, query);
    }
    path_parameters(collector, request.target.path());
    for value in request.fields.all(FieldName::Authorization) {
        basic::read(collector, value);
        jwt::from_authorization(collector, value);
    }
}

/// Adds what a whole body names.
///
/// # Errors
/// [`RequestError::Unsupported`] where its form cannot be read safely, [`RequestError::Malformed`] where it does
/// not keep to its form.
pub(super) fn from_body<'a>(
    policy: &'a Policy,
    facts: &mut RequestFacts<'a>,
    request: &RequestHead,
    body: &[u8],
) -> Result<(), RequestError> {
    if body.is_empty() {
        return Ok(());
    }
    collect_body(&mut Collector::new(policy, &mut facts.subjects), request, body)
}

fn collect_body(
    collector: &mut Collector<'_, '_>,
    request: &RequestHead,
    body: &[u8],
) -> Result<(), RequestError> {
    let json_names = collector.policy.rules().json_names;
    let is_post = request.method == Method::POST;
    let place = |naming: bool| if naming { Place::Naming } else { Place::Doubtful };
    match content_type::of(&request.fields)? {
        ContentType::Form => form::read(collector, place(is_post), body),
        ContentType::Json => json::read(collector, place(is_post && json_names), body),
        ContentType::Multipart(boundary) => multipart::read(collector, &boundary, body),
    }
}

/// Takes down what a head says of subjects, whether the policy lists them or not. Path patterns and `Host` are left out:
/// who has path and host reads them again.
pub(super) fn witness_head(policy: &Policy, request: &RequestHead) -> Statements {
    let (mut statements, mut facts) = (Statements::default(), SubjectFacts::default());
    let path = PathReadings::of(request.target.path());
    collect_head(&mut Collector::new(policy, &mut facts).witnessed(&mut statements), &path, request);
    statements.flag(&facts);
    statements
}

/// The same of a body that was read. `None`: it cannot be read safely.
pub(super) fn witness_body(policy: &Policy, request: &RequestHead, body: &[u8]) -> Option<Statements> {
    let (mut statements, mut facts) = (Statements::default(), SubjectFacts::default());
    if !body.is_empty() {
        let mut collector = Collector::new(policy, &mut facts).witnessed(&mut statements);
        collect_body(&mut collector, request, body).ok()?;
    }
    statements.flag(&facts);
    Some(statements)
}

/// Says again what was taken down, to another policy.
pub(super) fn restate<'a>(
    policy: &'a Policy,
    facts: &mut SubjectFacts<'a>,
    (statements, listed): (&Statements, &Listed),
) {
    statements.say_to(&mut Collector::new(policy, facts), listed);
}

fn host(collector: &mut Collector<'_, '_>, request: &RequestHead) {
    if !collector.policy.names_hosts() {
        return;
    }
    let Some(authority) = head::authority(request) else { return };
    let host = match authority.rfind(']') {
        Some(bracket) => authority.get(..=bracket).unwrap_or(authority),
        None => authority.split(':').next().unwrap_or(authority),
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    let mut lower: SmallVec<[u8; 256]> = SmallVec::from_slice(host.as_bytes());
    lower.make_ascii_lowercase();
    if let Some(tenant) =
        std::str::from_utf8(&lower).ok().and_then(|host| collector.policy.tenant_by_host(host))
    {
        collector.listed_tenant(Place::Naming, tenant);
    }
}

/// Each line is a value. Upstreams that join lines see a list, whose members are hints.
fn tenant_headers<'a>(collector: &mut Collector<'a, '_>, request: &'a RequestHead) {
    for name in &collector.policy.rules().tenant_headers {
        for line in request.fields.named(name) {
            collector.tenant(Place::Naming, String::from_utf8_lossy(line.trim_ascii()));
        }
    }
}

/// Whether every upstream finds the query behind the first `?`. Some begin it at a `;` (Fastify), and some decode the
/// target before they look for `?`, `;` or `#`: they find another name behind it, or no query.
fn query_begins_at_the_mark(path: &str) -> bool {
    let odd = |behind: &[u8]| match behind {
        [b';', ..] | [b'%', b'2', b'3' | b'5', ..] | [b'%', b'u' | b'U', ..] => true,
        [b'%', b'3', digit, ..] => matches!(digit.to_ascii_lowercase(), b'b' | b'f'),
        _ => false,
    };
    let path = path.as_bytes();
    !memchr::memchr2_iter(b';', b'%', path).any(|at| odd(path.get(at..).unwrap_or_default()))
}

/// An upstream that decodes before it splits finds a query behind `%3F`; one that knows matrix parameters finds
/// some behind `;`.
fn path_parameters(collector: &mut Collector<'_, '_>, path: &str) {
    for at in memchr::memchr2_iter(b';', b'%', path.as_bytes()) {
        let behind = path.get(at..).unwrap_or_default();
        if matches!(behind.as_bytes(), [b';', ..] | [_, b'3', b'f' | b'F' | b'b' | b'B', ..]) {
            query::read_parameters(collector, behind);
            return;
        }
    }
}

#[cfg(test)]
mod tests;
