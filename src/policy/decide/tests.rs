//! Decisions in tables, and against a twin that follows SPEC §4 sentence by sentence.

use super::*;
use crate::policy::acl::{IpAcl, IpAclBuilder, Place};
use crate::policy::facts::{Candidates, Named};
use crate::policy::path::PathPrefix;
use crate::policy::subject::ApiKeyHash;
use crate::policy::{ApiKeySources, PolicyParts, Rules};
use proptest::prelude::*;
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

const CLIENT: &str = "203.0.113.9";

fn acl(name: &str, blocks_client: bool) -> Arc<IpAcl> {
    let mut builder = IpAclBuilder::new(::uuid::Uuid::nil(), name, Action::Allow);
    if blocks_client {
        builder.push(CLIENT.parse().unwrap(), Action::Block, Place { file: 0, line: 1 });
    }
    Arc::new(builder.build())
}

fn assignment(name: &str, blocks: Option<bool>) -> Option<Assignment> {
    blocks.map(|blocks| Assignment { acl: acl(name, blocks), mode: Mode::Enforce })
}

fn prefixes(prefixes: &[&str]) -> Vec<PathPrefix> {
    prefixes.iter().map(|prefix| prefix.parse().unwrap()).collect()
}

/// `None`: no ACL; `Some(true)`: an ACL that blocks [`CLIENT`].
#[derive(Clone, Debug, Default)]
struct World {
    /// Tenants; the first is the default one where `default` says so.
    tenants: Vec<Option<bool>>,
    default: bool,
    /// Applications: their tenant and their ACL.
    applications: Vec<(Option<usize>, Option<bool>)>,
    api_key: Option<bool>,
    resource_server: Option<bool>,
    path: Option<bool>,
    mode: Mode,
}

impl World {
    fn policy(&self) -> Policy {
        let reported = |assignment: Option<Assignment>| {
            assignment.map(|assignment| Assignment { mode: self.mode, ..assignment })
        };
        let tenants: Vec<Arc<Tenant>> = (0..)
            .zip(&self.tenants)
            .map(|(index, blocks)| {
                Arc::new(Tenant {
                    id: format!("t{index}").into(),
                    name: format!("t{index}").into(),
                    hosts: Vec::new(),
                    default: self.default && index == 0,
                    assignment: reported(assignment("tenant", *blocks)),
                })
            })
            .collect();
        let applications = (0..)
            .zip(&self.applications)
            .map(|(index, (tenant, blocks))| {
                Arc::new(Application {
                    id: format!("a{index}").into(),
                    name: format!("a{index}").into(),
                    tenant: tenant.and_then(|tenant| tenants.get(tenant).cloned()),
                    assignment: reported(assignment("application", *blocks)),
                })
            })
            .collect();
        let api_key = ApiKey {
            id: ::uuid::Uuid::nil(),
            name: "key".into(),
            hash: ApiKeyHash::of(b"key"),
            assignment: reported(assignment("key", self.api_key)),
            insert_instant: None,
            last_update_instant: None,
            data: None,
        };
        Policy::new(PolicyParts {
            rules: rules(),
            acls: Vec::new(),
            api_keys: vec![api_key],
            tenants,
            applications,
            resource_servers: vec![Arc::new(ResourceServer {
                identifier: "https://api/".into(),
                name: "api".into(),
                assignment: reported(assignment("server", self.resource_server)),
            })],
            path_rules: reported(assignment("path", self.path))
                .map(|assignment| PathRule { prefix: "/api/v2/".parse().unwrap(), assignment })
                .into_iter()
                .collect(),
            files: vec!["gateway.toml".into()],
            unread: Vec::new(),
        })
    }
}

fn rules() -> Rules {
    Rules {
        mode: Mode::Enforce,
        sign_on_paths: prefixes(&["/oauth2/", "/account/"]),
        exempt_paths: prefixes(&["/admin/", "/api/"]),
        token_paths: prefixes(&["/oauth2/token", "/oauth/token"]),
        loopback_paths: prefixes(&["/api/status"]),
        tenant_patterns: Vec::new(),
        tenant_headers: Vec::new(),
        json_names: false,
        api_key_sources: ApiKeySources {
            raw_authorization: true,
            basic_user: None,
            bearer: false,
            headers: Vec::new(),
        },
        inspect_body_limit: 65536,
    }
}

/// What a request names: `None` is a value that the policy does not list.
#[derive(Clone, Debug, Default)]
struct Request {
    target: &'static str,
    naming_applications: Vec<Option<usize>>,
    naming_tenants: Vec<Option<usize>>,
    hinted_applications: Vec<Option<usize>>,
    hinted_tenants: Vec<Option<usize>>,
    misspelled_client_id: bool,
    key: bool,
    audience: bool,
}

fn facts<'a>(policy: &'a Policy, request: &Request) -> RequestFacts<'a> {
    let candidates = |applications: &[Option<usize>], tenants: &[Option<usize>]| {
        let mut candidates = Candidates::default();
        for value in applications {
            candidates.applications.add(
                match value.and_then(|index| policy.parts().applications.get(index)) {
                    Some(application) => Named::Listed(&**application),
                    None => Named::Unlisted(Cow::Borrowed("unlisted")),
                },
            );
        }
        for value in tenants {
            candidates.tenants.add(match value.and_then(|index| policy.parts().tenants.get(index)) {
                Some(tenant) => Named::Listed(&**tenant),
                None => Named::Unlisted(Cow::Borrowed("unlisted")),
            });
        }
        candidates
    };
    RequestFacts {
        client: Some(CLIENT.parse().unwrap()),
        api_keys: policy.parts().api_keys.iter().filter(|_| request.key).collect(),
        path: PathReadings::of(request.target),
        subjects: SubjectFacts {
            naming: candidates(&request.naming_applications, &request.naming_tenants),
            hints: candidates(&request.hinted_applications, &request.hinted_tenants),
            names_client_id: !request.naming_applications.is_empty()
                || !request.hinted_applications.is_empty()
                || request.misspelled_client_id,
            client_credentials: request.audience,
            resource_servers: policy
                .parts()
                .resource_servers
                .iter()
                .filter(|_| request.audience)
                .map(|server| &**server)
                .collect(),
        },
    }
}

fn effect(world: &World, request: &Request) -> Effect {
    let policy = world.policy();
    let facts = facts(&policy, request);
    decide(&policy, &facts, |_| {}).effect
}

fn on(target: &'static str) -> Request {
    Request { target, ..Request::default() }
}

#[test]
fn each_step_blocks_where_it_applies_and_nowhere_else() {
    let world = World {
        tenants: vec![Some(true)],
        default: true,
        api_key: Some(true),
        resource_server: Some(true),
        path: Some(true),
        ..World::default()
    };
    for (request, expected) in [
        (on("/oauth2/authorize"), Some("tenant")),
        (on("/account"), Some("tenant")),
        (on("/admin/"), None),
        (on("/api/user"), None),
        (Request { key: true, ..on("/api/user") }, Some("key")),
        (Request { key: true, ..on("/oauth2/authorize") }, Some("key")),
        (Request { audience: true, ..on("/oauth/token") }, Some("server")),
        (Request { audience: true, ..on("/oauth2/token") }, Some("tenant")),
        (Request { audience: true, ..on("/api/user") }, None),
        (on("/api/v2/users"), Some("path")),
        (on("/api/status"), Some("loopback")),
    ] {
        let policy = world.policy();
        let facts = facts(&policy, &request);
        let decision = decide(&policy, &facts, |_| {});
        let name = decision
            .cause
            .filter(|check| check.blocks())
            .map(|check| check.assignment.map_or("loopback", |assignment| assignment.acl.name()));
        assert_eq!(name, expected, "{request:?}");
        assert_eq!(decision.effect == Effect::Block, expected.is_some(), "{request:?}");
    }
}

#[test]
fn an_unknown_address_is_blocked_whatever_the_default() {
    let world = World { tenants: vec![Some(false)], default: true, ..World::default() };
    let policy = world.policy();
    let mut facts = facts(&policy, &on("/oauth2/authorize"));
    assert_eq!(decide(&policy, &facts, |_| {}).effect, Effect::Allow);
    facts.client = None;
    assert_eq!(decide(&policy, &facts, |_| {}).effect, Effect::Block);
    assert!(body_matters(&policy, &facts));
    facts.path = PathReadings::of("/api/user");
    assert_eq!(decide(&policy, &facts, |_| {}).effect, Effect::Allow);
}

#[test]
fn local_paths_are_open_to_loopback_and_to_whom_an_acl_lets_in() {
    for (client, path, expected) in [
        ("127.0.0.1", None, Effect::Allow),
        ("::1", None, Effect::Allow),
        (CLIENT, None, Effect::Block),
        (CLIENT, Some(false), Effect::Allow),
        (CLIENT, Some(true), Effect::Block),
    ] {
        let mut policy = World { path, ..World::default() }.policy();
        let mut parts = policy.parts().clone();
        for rule in &mut parts.path_rules {
            rule.prefix = "/api/status".parse().unwrap();
        }
        policy = Policy::new(parts);
        let mut facts = facts(&policy, &on("/api/status"));
        facts.client = Some(client.parse::<IpAddr>().unwrap());
        assert_eq!(decide(&policy, &facts, |_| {}).effect, expected, "{client} {path:?}");
    }
}

#[test]
fn a_decoy_knows_what_else_blocks() {
    let world = World { tenants: vec![Some(true)], default: true, api_key: Some(true), ..World::default() };
    let policy = world.policy();
    let request = Request { key: true, ..on("/oauth2/authorize") };
    let facts = facts(&policy, &request);
    let decision = decide(&policy, &facts, |_| {});
    assert!(matches!(decision.cause.unwrap().subject, Subject::ApiKey(_)));
    assert!(matches!(decision.block_beside_key.unwrap().subject, Subject::Tenant(_)));
    assert!(blocked_by_api_key(&facts));
}

#[test]
fn report_mode_tells_and_lets_pass() {
    let world = World { tenants: vec![Some(true)], default: true, mode: Mode::Report, ..World::default() };
    let policy = world.policy();
    let facts = facts(&policy, &on("/oauth2/authorize"));
    let decision = decide(&policy, &facts, |_| {});
    assert_eq!(decision.effect, Effect::Allow);
    assert!(matches!(decision.reported.unwrap().subject, Subject::Tenant(_)));
}

fn world() -> impl Strategy<Value = World> {
    let acl = || proptest::option::of(any::<bool>());
    (
        proptest::collection::vec(acl(), 0..3),
        any::<bool>(),
        proptest::collection::vec((proptest::option::of(0_usize..3), acl()), 0..4),
    )
        .prop_map(|(tenants, default, applications)| World {
            tenants,
            default,
            applications,
            ..World::default()
        })
}

fn request() -> impl Strategy<Value = Request> {
    let names = |listed: usize| proptest::collection::vec(proptest::option::weighted(0.8, 0..listed), 0..3);
    (names(4), names(3), names(4), names(3), any::<bool>()).prop_map(
        |(naming_applications, naming_tenants, hinted_applications, hinted_tenants, misspelled_client_id)| {
            Request {
                target: "/oauth2/authorize",
                naming_applications,
                naming_tenants,
                hinted_applications,
                hinted_tenants,
                misspelled_client_id,
                ..Request::default()
            }
        },
    )
}

/// The sentences of SPEC §4, one after the other, over plain indices.
fn twin(world: &World, request: &Request) -> bool {
    let application =
        |name: &Option<usize>| name.and_then(|index| world.applications.get(index).map(|a| (index, *a)));
    let tenant = |name: &Option<usize>| name.filter(|index| *index < world.tenants.len());
    let distinct = |names: &[Option<usize>], listed: usize| {
        let mut names: Vec<_> = names.iter().map(|name| name.filter(|index| *index < listed)).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let mut blocked = false;
    let naming_applications = distinct(&request.naming_applications, world.applications.len());
    let naming_tenants = distinct(&request.naming_tenants, world.tenants.len());
    for (_, (owner, own)) in
        request.naming_applications.iter().chain(&request.hinted_applications).filter_map(application)
    {
        let owner = owner.and_then(|owner| world.tenants.get(owner)).copied().flatten();
        blocked |= own.or(owner) == Some(true);
    }
    for index in request.naming_tenants.iter().chain(&request.hinted_tenants).filter_map(tenant) {
        let beside_its_own = naming_applications.iter().all(Option::is_some)
            && naming_applications.iter().filter_map(application).any(|(_, (owner, _))| owner == Some(index));
        blocked |= !beside_its_own && world.tenants[index] == Some(true);
    }
    let one_application = matches!(naming_applications.as_slice(), [Some(_)]);
    let no_client_id = request.naming_applications.is_empty()
        && request.hinted_applications.is_empty()
        && !request.misspelled_client_id;
    let one_tenant = no_client_id && matches!(naming_tenants.as_slice(), [Some(_)]);
    if world.default && !one_application && !one_tenant {
        blocked |= world.tenants.first().copied().flatten() == Some(true);
    }
    blocked
}

proptest! {
    #[test]
    fn decides_as_the_twin(world in world(), request in request()) {
        prop_assert_eq!(effect(&world, &request) == Effect::Block, twin(&world, &request));
    }

    #[test]
    fn a_hint_never_opens(world in world(), request in request(), hint in 0_usize..4, is_tenant: bool) {
        let mut hinted = request.clone();
        if is_tenant {
            hinted.hinted_tenants.push(Some(hint));
        } else {
            hinted.hinted_applications.push(Some(hint));
        }
        if effect(&world, &request) == Effect::Block {
            prop_assert_eq!(effect(&world, &hinted), Effect::Block);
        }
    }

    #[test]
    fn who_is_blocked_by_nobody_needs_no_look_into_bodies(world in world(), request in request()) {
        let policy = world.policy();
        let facts = facts(&policy, &request);
        if !body_matters(&policy, &facts) {
            prop_assert_eq!(decide(&policy, &facts, |_| {}).effect, Effect::Allow);
        }
    }
}
