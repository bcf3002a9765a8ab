//! All facts of a request, gathered in one place.
//!
//! In: the policy, a head that [`head::check`](super::head::check) let pass, the client's address; later perhaps the
//! body. Out: [`RequestFacts`], the only input of [`decide`](crate::policy::decide).
//!
//! What no rule of the policy asks for is not looked for: subjects only under sign-on and token paths, keys only
//! where some are known. An ordinary allowed request costs no allocation here.
//!
//! **The target** whose readings are made is path and query as the client sent them, in every form of target. Of an
//! absolute one, scheme and authority add no reading: they are `http` or `https` and the same as `Host`, and upstream
//! gets origin form.

use super::error::RequestError;
use super::{RequestHead, api_key, subjects};
use crate::config::Answers;
use crate::policy::Policy;
use crate::policy::decide::{blocked_by_api_key, body_matters};
use crate::policy::facts::{RequestFacts, SubjectFacts};
use crate::policy::path::PathReadings;
use std::net::IpAddr;

/// Gathers what the head says.
///
/// # Errors
/// Those of [`path`].
pub fn gather<'a>(
    policy: &'a Policy,
    head: &'a RequestHead,
    client: Option<IpAddr>,
) -> Result<RequestFacts<'a>, RequestError> {
    Ok(gather_along(policy, head, client, path(head)?))
}

/// The readings of the target.
///
/// # Errors
/// [`RequestError::Malformed`]: it has no path, or was made to have more readings than anybody can look at.
pub fn path(head: &RequestHead) -> Result<PathReadings<'_>, RequestError> {
    let target = head.target.path_and_query().ok_or(RequestError::Malformed("a target without a path"))?;
    let path = PathReadings::of(target);
    if !path.is_exhaustive() {
        return Err(RequestError::Malformed("a target with too many readings"));
    }
    Ok(path)
}

/// As [`gather`], where the readings are known: nothing can fail any more, and facts, which are large, need not go through
/// a `Result`.
pub fn gather_along<'a>(
    policy: &'a Policy,
    head: &'a RequestHead,
    client: Option<IpAddr>,
    path: PathReadings<'a>,
) -> RequestFacts<'a> {
    let mut facts = without_subjects(policy, head, client, path);
    if subjects_matter(policy, &facts.path) {
        subjects::from_head(policy, &mut facts, head);
    }
    facts
}

/// As [`gather_along`], but for the subjects, which [`needs_body`] does not ask for.
pub fn without_subjects<'a>(
    policy: &'a Policy,
    head: &'a RequestHead,
    client: Option<IpAddr>,
    path: PathReadings<'a>,
) -> RequestFacts<'a> {
    RequestFacts {
        client: client.map(|client| client.to_canonical()),
        api_keys: api_key::listed(policy, &head.fields),
        path,
        subjects: SubjectFacts::default(),
    }
}

/// Whether the body is to be looked into before the decision: what it says could lead to a block, and the answer does
/// not stand already. A blocked API key stands, unless it is answered by a decoy: then the rest of the policy counts too.
pub fn needs_body(policy: &Policy, facts: &RequestFacts<'_>, answers: &Answers) -> bool {
    let refused_already = blocked_by_api_key(facts) && !answers.has_decoy();
    !refused_already && body_matters(policy, facts)
}

/// Adds what a whole body says. It is to be called where
/// [`needs_body`], and not otherwise: a body that cannot be read is an error.
///
/// # Errors
/// [`RequestError::Unsupported`] where its form cannot be read safely, [`RequestError::Malformed`] where it does not
/// keep to its form.
pub fn add_body<'a>(
    policy: &'a Policy,
    facts: &mut RequestFacts<'a>,
    head: &RequestHead,
    body: &[u8],
) -> Result<(), RequestError> {
    subjects::from_body(policy, facts, head, body)
}

fn subjects_matter(policy: &Policy, path: &PathReadings<'_>) -> bool {
    let (rules, listed) = (policy.rules(), policy.parts());
    let sign_on = !listed.applications.is_empty() || !listed.tenants.is_empty();
    (sign_on && path.any_under_one_of(&rules.sign_on_paths))
        || (!listed.resource_servers.is_empty() && path.any_under_one_of(&rules.token_paths))
}

#[cfg(test)]
mod tests;
