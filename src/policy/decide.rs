//! The decision: a total function of the facts of a request and the policy.
//!
//! Every subject that applies is tested, in the order of the [module table](super); the first block that
//! is enforced names the answer. No clock, no I/O, and no allocation beyond four tenants in question.
//!
//! # Which tenants and applications are tested on a sign-on page
//! 1. Every listed application, from naming places and hints alike: its own ACL, or its tenant's.
//! 2. Every listed tenant, unless the naming places name one of its own applications and nothing that the
//!    policy does not list (an ordinary FusionAuth link carries `client_id` and `tenantId`).
//! 3. The default tenant, unless the naming places give exactly one `client_id`, and it is listed; or there
//!    is no `client_id` anywhere and they name exactly one tenant, and it is listed.
//!
//! INVARIANT: hints only ever add to what is tested (rules 2 and 3 look at naming places alone), so a forged
//! hint can close a door and never open one.

use super::Policy;
use super::acl::{Action, Verdict};
use super::facts::{RequestFacts, SubjectFacts};
use super::path::PathReadings;
use super::subject::{ApiKey, Application, Assignment, Mode, PathRule, ResourceServer, Tenant};
use smallvec::SmallVec;

/// What is to be done with a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// It may pass.
    Allow,
    /// It may not.
    Block,
}

/// What a check was made for.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// A key that the request carries.
    ApiKey(&'a ApiKey),
    /// An application that it names.
    Application(&'a Application),
    /// A tenant that it names, that a named application belongs to, or the default one.
    Tenant(&'a Tenant),
    /// A resource server that it asks for.
    ResourceServer(&'a ResourceServer),
    /// A path rule that some reading of its target is under.
    Path(&'a PathRule),
    /// A path that the upstream leaves open to local clients.
    Loopback,
}

/// One subject, tested.
#[derive(Clone, Copy, Debug)]
pub struct Check<'a> {
    /// What was tested.
    pub subject: Subject<'a>,
    /// The ACL that it was tested against; [`Subject::Loopback`] has none.
    pub assignment: Option<&'a Assignment>,
    /// The answer.
    pub verdict: Verdict,
}

impl Check<'_> {
    /// Whether this check alone refuses the request.
    pub fn blocks(&self) -> bool {
        self.verdict.action == Action::Block && self.mode() == Mode::Enforce
    }

    /// Whether it would refuse the request if its mode were not [`Mode::Report`].
    pub fn only_reports(&self) -> bool {
        self.verdict.action == Action::Block && self.mode() == Mode::Report
    }

    fn mode(&self) -> Mode {
        self.assignment.map_or(Mode::Enforce, |assignment| assignment.mode)
    }
}

/// What was decided, and why.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Decision<'a> {
    /// Allow or block.
    pub effect: Effect,
    /// The check that blocked, or the last one that allowed; `None` where no ACL applies.
    pub cause: Option<Check<'a>>,
    /// The first check that blocked and was not an API key's: what holds where the key is answered by a decoy.
    pub block_beside_key: Option<Check<'a>>,
    /// The first check that would have blocked, were its mode not [`Mode::Report`].
    pub reported: Option<Check<'a>>,
}

/// Decides over a request. `observe` is shown every check that is made, in order, to the end: a block does
/// not hide what comes behind it.
///
/// Cost: one range look-up for each ACL that applies.
pub fn decide<'a>(
    policy: &'a Policy,
    facts: &RequestFacts<'a>,
    mut observe: impl FnMut(&Check<'a>),
) -> Decision<'a> {
    let mut decision =
        Decision { effect: Effect::Allow, cause: None, block_beside_key: None, reported: None };
    let mut record = |check: Check<'a>| {
        observe(&check);
        decision.record(check);
    };
    check_api_keys(facts, &mut record);
    if is_sign_on(policy, &facts.path) {
        check_sign_on(policy, facts, &mut record);
    }
    if facts.subjects.client_credentials && is_token_path(policy, &facts.path) {
        check_resource_servers(facts, &mut record);
    }
    check_paths(policy, facts, &mut record);
    decision
}

/// Whether the API keys alone refuse the request: then nothing else of it needs to be looked at.
pub fn blocked_by_api_key<'a>(facts: &RequestFacts<'a>) -> bool {
    let mut blocked = false;
    check_api_keys(facts, &mut |check| blocked |= check.blocks());
    blocked
}

/// Whether what a body says could lead to a block: the path is one where a body may name subjects, and some
/// ACL of such subjects blocks this client. Everybody else's bodies need no look.
pub fn body_matters(policy: &Policy, facts: &RequestFacts<'_>) -> bool {
    let client = facts.client;
    (policy.sign_on_acls().any_blocks(client) && is_sign_on(policy, &facts.path))
        || (policy.resource_server_acls().any_blocks(client) && is_token_path(policy, &facts.path))
}

impl<'a> Decision<'a> {
    fn record(&mut self, check: Check<'a>) {
        if check.only_reports() {
            self.reported.get_or_insert(check);
            return;
        }
        if self.effect == Effect::Allow {
            self.cause = Some(check);
        }
        if check.blocks() {
            self.effect = Effect::Block;
            if !matches!(check.subject, Subject::ApiKey(_)) {
                self.block_beside_key.get_or_insert(check);
            }
        }
    }
}

fn check_api_keys<'a>(facts: &RequestFacts<'a>, record: &mut impl FnMut(Check<'a>)) {
    for key in &facts.api_keys {
        test(facts, Subject::ApiKey(key), key.assignment.as_ref(), record);
    }
}

fn check_sign_on<'a>(policy: &'a Policy, facts: &RequestFacts<'a>, record: &mut impl FnMut(Check<'a>)) {
    let subjects = &facts.subjects;
    let mut tenants: SmallVec<[&'a Tenant; 4]> = SmallVec::new();
    let mut add_tenant = |tenant: &'a Tenant| {
        if !tenants.iter().any(|known| std::ptr::eq(*known, tenant)) {
            tenants.push(tenant);
        }
    };
    for application in subjects.applications() {
        match (&application.assignment, &application.tenant) {
            (Some(_), _) => {
                test(facts, Subject::Application(application), application.assignment.as_ref(), record);
            }
            (None, Some(tenant)) => add_tenant(tenant),
            (None, None) => {}
        }
    }
    subjects.tenants().filter(|tenant| !yields_to_application(subjects, tenant)).for_each(&mut add_tenant);
    if let Some(tenant) = policy.default_tenant().filter(|_| default_tenant_applies(subjects)) {
        add_tenant(tenant);
    }
    for tenant in tenants {
        test(facts, Subject::Tenant(tenant), tenant.assignment.as_ref(), record);
    }
}

/// Rule 2 of the module: the application takes precedence over the tenant that is named beside it.
fn yields_to_application(subjects: &SubjectFacts<'_>, tenant: &Tenant) -> bool {
    let named = &subjects.naming.applications;
    named.all_listed()
        && named
            .listed()
            .any(|application| application.tenant.as_deref().is_some_and(|owner| std::ptr::eq(owner, tenant)))
}

/// Rule 3 of the module.
fn default_tenant_applies(subjects: &SubjectFacts<'_>) -> bool {
    let one_application = subjects.naming.applications.sole_listed().is_some();
    let one_tenant = !subjects.names_client_id
        && subjects.naming.applications.is_empty()
        && subjects.naming.tenants.sole_listed().is_some();
    !(one_application || one_tenant)
}

fn check_resource_servers<'a>(facts: &RequestFacts<'a>, record: &mut impl FnMut(Check<'a>)) {
    for server in &facts.subjects.resource_servers {
        test(facts, Subject::ResourceServer(server), server.assignment.as_ref(), record);
    }
}

/// Steps 4 and 5: a path that is left open to local clients is closed to all others, unless a path rule
/// covers it and its ACL allows.
fn check_paths<'a>(policy: &'a Policy, facts: &RequestFacts<'a>, record: &mut impl FnMut(Check<'a>)) {
    let mut opened = false;
    for rule in policy.path_rules() {
        if facts.path.any_under(&rule.prefix) {
            opened |= rule.assignment.acl.test(facts.client).action == Action::Allow;
            test(facts, Subject::Path(rule), Some(&rule.assignment), record);
        }
    }
    if !opened && facts.path.any_under_one_of(&policy.rules().loopback_paths) {
        record(Check { subject: Subject::Loopback, assignment: None, verdict: loopback_verdict(facts) });
    }
}

fn loopback_verdict(facts: &RequestFacts<'_>) -> Verdict {
    match facts.client {
        Some(client) if client.is_loopback() => Verdict::by_default(Action::Allow),
        Some(_) => Verdict::by_default(Action::Block),
        None => Verdict::undetermined(),
    }
}

fn test<'a>(
    facts: &RequestFacts<'a>,
    subject: Subject<'a>,
    assignment: Option<&'a Assignment>,
    record: &mut impl FnMut(Check<'a>),
) {
    if let Some(assignment) = assignment {
        let verdict = assignment.acl.test(facts.client);
        record(Check { subject, assignment: Some(assignment), verdict });
    }
}

/// Only where every reading is in the admin UI or the API are those exempt.
fn is_sign_on(policy: &Policy, path: &PathReadings<'_>) -> bool {
    let rules = policy.rules();
    path.any_under_one_of(&rules.sign_on_paths) && !path.all_under_one_of(&rules.exempt_paths)
}

fn is_token_path(policy: &Policy, path: &PathReadings<'_>) -> bool {
    path.any_under_one_of(&policy.rules().token_paths)
}

#[cfg(test)]
mod tests;
