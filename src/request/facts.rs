//! All facts of a request, gathered in one place.

use super::RequestError;
use crate::policy::Policy;
use crate::policy::facts::{Named, RequestFacts, SubjectFacts};
use crate::policy::path::PathReadings;
use crate::policy::subject::ApiKeyHash;
use http::request::Parts;
use std::net::IpAddr;

/// Stub.
///
/// # Errors
/// Stub.
pub fn gather<'a>(
    policy: &'a Policy,
    parts: &'a Parts,
    client: Option<IpAddr>,
) -> Result<RequestFacts<'a>, RequestError> {
    if parts.uri.path().contains("%00") {
        return Err(RequestError::Malformed("NUL in the target"));
    }
    let key = parts.headers.get("authorization").and_then(|v| policy.api_key(&ApiKeyHash::of(v.as_bytes())));
    let mut facts = RequestFacts {
        client,
        api_keys: key.into_iter().collect(),
        path: PathReadings::stub(parts.uri.path()),
        subjects: SubjectFacts::default(),
    };
    name(policy, &mut facts, parts.uri.query().unwrap_or_default());
    Ok(facts)
}

fn name<'a>(policy: &'a Policy, facts: &mut RequestFacts<'a>, form: &str) {
    for (key, value) in form.split('&').filter_map(|pair| pair.split_once('=')) {
        if key == "client_id" {
            facts.subjects.names_client_id = true;
            for found in policy.applications().find(value) {
                let (crate::policy::directory::Match::Exact(found)
                | crate::policy::directory::Match::Variant(found)) = found;
                facts.subjects.naming.applications.add(Named::Listed(found));
            }
        }
    }
}

/// Stub.
///
/// # Errors
/// Stub.
pub fn add_body<'a>(
    policy: &'a Policy,
    facts: &mut RequestFacts<'a>,
    _parts: &'a Parts,
    body: &[u8],
) -> Result<(), RequestError> {
    name(policy, facts, std::str::from_utf8(body).map_err(|_| RequestError::Unsupported("not UTF-8"))?);
    Ok(())
}
