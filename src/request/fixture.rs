//! A small policy for tests: who blocks and who allows is in the names.

use crate::config::{Limits, TrustedProxies, defaults};
use crate::policy::acl::{Action, IpAcl, IpAclBuilder};
use crate::policy::subject::{ApiKey, ApiKeyHash, Application, Assignment, Mode, ResourceServer, Tenant};
use crate::policy::{ApiKeySources, Policy, PolicyParts, Rules};
use std::sync::Arc;

/// The key that the policy lists.
pub(super) const KEY: &str = "bf69486b-4733-4470-a592-f1bfce7af580";
/// Applications: of the open tenant without an ACL, and of the closed tenant.
pub(super) const OPEN_APP: &str = "85a03867-dccf-4882-adde-1a79aeec50df";
pub(super) const CLOSED_APP: &str = "3c219e58-ed0e-4b18-ad48-f4f92793ae32";
/// An application whose id is no UUID, with an ACL that blocks.
pub(super) const TEXT_APP: &str = "Portal";
/// Tenants.
pub(super) const OPEN_TENANT: &str = "d7d09513-a3f5-401c-9685-34ab6c552453";
pub(super) const CLOSED_TENANT: &str = "e872a880-b14f-6d62-c312-cb40f22af465";
/// Resource servers.
pub(super) const API: &str = "https://acme.example/api/v2/";
pub(super) const ENTITY: &str = "092dbded-30af-4149-9c61-b578f2c72f59";

pub(super) fn limits() -> Limits {
    Limits {
        head: defaults::HEAD_BYTES,
        fields: defaults::FIELDS,
        target: defaults::TARGET_BYTES,
        connections: defaults::CONNECTIONS,
        h2_streams: defaults::H2_STREAMS,
        h2_header_list: defaults::H2_HEADER_LIST_BYTES,
    }
}

pub(super) fn trusted(ranges: &[&str]) -> TrustedProxies {
    TrustedProxies { ranges: ranges.iter().map(|range| range.parse().unwrap()).collect() }
}

/// An ACL that does the same with every address.
pub(super) fn acl(default: Action) -> Arc<IpAcl> {
    Arc::new(IpAclBuilder::new(::uuid::Uuid::nil(), "acl", default).build())
}

pub(super) fn assignment(default: Action) -> Option<Assignment> {
    Some(Assignment { acl: acl(default), mode: Mode::Enforce })
}

pub(super) fn tenant(id: &str, name: &str, assignment: Option<Assignment>) -> Tenant {
    let hosts = vec![Arc::from(format!("{name}.example"))];
    Tenant { id: id.into(), name: name.into(), hosts, default: name == "closed", assignment }
}

pub(super) fn application(
    id: &str,
    tenant: Option<&Arc<Tenant>>,
    assignment: Option<Assignment>,
) -> Arc<Application> {
    Arc::new(Application { id: id.into(), name: id.into(), tenant: tenant.cloned(), assignment })
}

fn server(identifier: &str) -> Arc<ResourceServer> {
    let assignment = assignment(Action::Block);
    Arc::new(ResourceServer { identifier: identifier.into(), name: identifier.into(), assignment })
}

pub(super) fn rules() -> Rules {
    Rules {
        mode: Mode::Enforce,
        sign_on_paths: vec!["/oauth2/".parse().unwrap(), "/realms/".parse().unwrap()],
        exempt_paths: vec!["/api/".parse().unwrap()],
        token_paths: vec!["/oauth2/token".parse().unwrap()],
        loopback_paths: Vec::new(),
        tenant_patterns: vec!["/realms/{tenant}/".parse().unwrap()],
        tenant_headers: vec!["x-fusionauth-tenantid".into()],
        json_names: false,
        api_key_sources: ApiKeySources {
            raw_authorization: true,
            basic_user: Some("apikey".into()),
            bearer: false,
            headers: Vec::new(),
        },
        inspect_body_limit: defaults::INSPECT_BODY_BYTES,
    }
}

/// The policy: `closed` is the default tenant and blocks, `open` allows.
pub(super) fn policy_with(change: impl FnOnce(&mut PolicyParts)) -> Policy {
    let open = Arc::new(tenant(OPEN_TENANT, "open", assignment(Action::Allow)));
    let closed = Arc::new(tenant(CLOSED_TENANT, "closed", assignment(Action::Block)));
    let mut parts = PolicyParts {
        rules: rules(),
        acls: Vec::new(),
        api_keys: vec![ApiKey {
            id: uuid::Uuid::nil(),
            name: "ci".into(),
            hash: ApiKeyHash::of(KEY.as_bytes()),
            assignment: assignment(Action::Block),
            insert_instant: None,
            last_update_instant: None,
            data: None,
        }],
        applications: vec![
            application(OPEN_APP, Some(&open), None),
            application(CLOSED_APP, Some(&closed), None),
            application(TEXT_APP, Some(&open), assignment(Action::Block)),
        ],
        tenants: vec![open, closed],
        resource_servers: vec![server(API), server(ENTITY), server("urn:acme:x")],
        path_rules: Vec::new(),
        unread: Vec::new(),
        files: Vec::new(),
    };
    change(&mut parts);
    Policy::new(parts)
}

pub(super) fn policy() -> Policy {
    policy_with(|_| {})
}
