//! [`Policy`]: the compiled policy, always whole and consistent, and the look-ups that facts are made with.

use super::acl::IpAcl;
use super::block_union::BlockUnion;
use super::directory::Directory;
use super::moment::{Moment, Term};
use super::path::{PathPrefix, TenantPattern};
use super::subject::{ApiKey, ApiKeyHash, Application, Mode, PathRule, ResourceServer, Tenant};
use super::uuid::lenient_uuid;
use std::collections::HashMap;
use std::sync::Arc;

/// Where API keys are looked for in a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiKeySources {
    /// `Authorization: <key>`, the key alone.
    pub raw_authorization: bool,
    /// `Authorization: Basic`, the password of this user.
    pub basic_user: Option<Arc<str>>,
    /// `Authorization: Bearer <key>`.
    pub bearer: bool,
    /// Names of header fields whose whole value is a key, in lower case.
    pub headers: Vec<Arc<str>>,
}

/// The settings of `[policy]` that a decision depends on, presets already unfolded.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The whole policy's mode; already folded into each assignment.
    pub mode: Mode,
    /// Prefixes of the sign-on pages.
    pub sign_on_paths: Vec<PathPrefix>,
    /// Prefixes that are exempt from sign-on rules where every reading is under them.
    pub exempt_paths: Vec<PathPrefix>,
    /// Token endpoints (RFC 6749 §3.2).
    pub token_paths: Vec<PathPrefix>,
    /// Paths that the upstream leaves open to clients on loopback.
    pub loopback_paths: Vec<PathPrefix>,
    /// Patterns such as `/realms/{tenant}/` that name a tenant.
    pub tenant_patterns: Vec<TenantPattern>,
    /// Names of header fields that name a tenant, in lower case; `x-fusionauth-tenantid` is one.
    pub tenant_headers: Vec<Arc<str>>,
    /// Whether a JSON body is a naming place (preset `auth0`) rather than a hint.
    pub json_names: bool,
    /// Where API keys are looked for.
    pub api_key_sources: ApiKeySources,
    /// The most of a body that is looked into, in bytes.
    pub inspect_body_limit: usize,
}

/// What a policy is made of; [`Policy::new`] adds the look-ups.
#[derive(Clone, Debug)]
pub struct PolicyParts {
    /// The settings.
    pub rules: Rules,
    /// Every ACL, in file order.
    pub acls: Vec<Arc<IpAcl>>,
    /// Every API key, in file order.
    pub api_keys: Vec<ApiKey>,
    /// Every tenant, in file order.
    pub tenants: Vec<Arc<Tenant>>,
    /// Every application, in file order.
    pub applications: Vec<Arc<Application>>,
    /// Every resource server, in file order.
    pub resource_servers: Vec<Arc<ResourceServer>>,
    /// Every path rule, in file order.
    pub path_rules: Vec<PathRule>,
    /// The files that it was read from: the policy file, then its databases and list files. [`Place`](super::acl::Place)
    /// points into these.
    pub files: Vec<Arc<str>>,
    /// Databases that could not be read; what depends on them is blocked.
    pub unread: Vec<Arc<str>>,
}

/// A compiled policy: immutable, shared between all requests of its revision.
#[derive(Debug)]
pub struct Policy {
    parts: PolicyParts,
    key_index: HashMap<ApiKeyHash, usize>,
    tenant_directory: Directory<Tenant>,
    tenant_names: Directory<Tenant>,
    tenant_hosts: HashMap<Arc<str>, Arc<Tenant>>,
    application_directory: Directory<Application>,
    resource_server_index: HashMap<String, Arc<ResourceServer>>,
    default_tenant: Option<Arc<Tenant>>,
    decisive_headers: Vec<Arc<str>>,
    api_key_set: u128,
    sign_on_acls: BlockUnion,
    resource_server_acls: BlockUnion,
    term: Term,
}

impl Policy {
    /// Adds the look-ups to parts that were validated. Cost: linear in the number of subjects and of distinct
    /// ACLs' ranges.
    pub fn new(parts: PolicyParts) -> Self {
        let sign_on_acls = BlockUnion::of(
            parts
                .tenants
                .iter()
                .filter_map(|tenant| tenant.assignment.as_ref())
                .chain(parts.applications.iter().filter_map(|application| application.assignment.as_ref()))
                .map(|assignment| &assignment.acl),
        );
        let resource_server_acls = BlockUnion::of(
            parts
                .resource_servers
                .iter()
                .filter_map(|server| server.assignment.as_ref())
                .map(|assignment| &assignment.acl),
        );
        let hosts = |tenant: &Arc<Tenant>| {
            let tenant = Arc::clone(tenant);
            tenant.hosts.clone().into_iter().map(move |host| (host, Arc::clone(&tenant)))
        };
        let term = parts.acls.iter().fold(Term::ALWAYS, |term, acl| term.and(acl.term()));
        let rules = &parts.rules;
        let decisive = rules.api_key_sources.headers.iter().chain(&rules.tenant_headers);
        Self {
            decisive_headers: decisive.cloned().collect(),
            key_index: parts.api_keys.iter().enumerate().map(|(index, key)| (key.hash, index)).collect(),
            tenant_directory: Directory::new(parts.tenants.iter().map(|tenant| (&*tenant.id, tenant))),
            tenant_names: Directory::new(
                parts.tenants.iter().flat_map(|tenant| [(&*tenant.id, tenant), (&*tenant.name, tenant)]),
            ),
            tenant_hosts: parts.tenants.iter().flat_map(hosts).collect(),
            application_directory: Directory::new(
                parts.applications.iter().map(|application| (&*application.id, application)),
            ),
            resource_server_index: parts
                .resource_servers
                .iter()
                .map(|server| (comparable_identifier(&server.identifier), Arc::clone(server)))
                .collect(),
            api_key_set: set_of(&parts.api_keys),
            default_tenant: parts.tenants.iter().find(|tenant| tenant.default).cloned(),
            sign_on_acls,
            resource_server_acls,
            term,
            parts,
        }
    }

    /// From when on and until when the policy is what it is compiled to be: up to the next expiry of an entry.
    pub fn term(&self) -> Term {
        self.term
    }

    /// The same policy as of another moment. Cost: that of compiling the ACLs whose entries expired or came back
    /// meanwhile, and of [`new`](Self::new).
    #[must_use]
    pub fn as_of(&self, now: Moment) -> Self {
        Self::new(self.parts.as_of(now))
    }

    /// What it was made of.
    pub fn parts(&self) -> &PolicyParts {
        &self.parts
    }

    /// The settings.
    pub fn rules(&self) -> &Rules {
        &self.parts.rules
    }

    /// The path rules.
    pub fn path_rules(&self) -> &[PathRule] {
        &self.parts.path_rules
    }

    /// The key with this hash, if the policy knows it. Constant cost.
    pub fn api_key(&self, hash: &ApiKeyHash) -> Option<&ApiKey> {
        self.key_index.get(hash).and_then(|index| self.parts.api_keys.get(*index))
    }

    /// Whether any API key is known at all: if not, no key needs to be hashed.
    pub fn knows_api_keys(&self) -> bool {
        !self.key_index.is_empty()
    }

    /// A number that tells apart which API keys are listed, by their ids; nothing of a key is in it.
    pub fn api_key_set(&self) -> u128 {
        self.api_key_set
    }

    /// Applications by `client_id`.
    pub fn applications(&self) -> &Directory<Application> {
        &self.application_directory
    }

    /// Tenants by id.
    pub fn tenants(&self) -> &Directory<Tenant> {
        &self.tenant_directory
    }

    /// Tenants by id or name, for path patterns.
    pub fn tenants_by_name(&self) -> &Directory<Tenant> {
        &self.tenant_names
    }

    /// The tenant that a host names; `host` without port and trailing dot, in lower case.
    pub fn tenant_by_host(&self, host: &str) -> Option<&Tenant> {
        self.tenant_hosts.get(host).map(|tenant| &**tenant)
    }

    /// Whether any tenant is named by a host.
    pub fn names_hosts(&self) -> bool {
        !self.tenant_hosts.is_empty()
    }

    /// The resource server with this identifier; one trailing slash and the case of scheme and host do not
    /// count.
    pub fn resource_server(&self, identifier: &str) -> Option<&ResourceServer> {
        self.resource_server_index.get(&comparable_identifier(identifier)).map(|server| &**server)
    }

    /// Names of the header fields that a decision can depend on by configuration, in lower case.
    pub fn decisive_headers(&self) -> &[Arc<str>] {
        &self.decisive_headers
    }

    /// The default tenant.
    pub fn default_tenant(&self) -> Option<&Tenant> {
        self.default_tenant.as_deref()
    }

    /// Every ACL of tenants and applications, as one question.
    pub fn sign_on_acls(&self) -> &BlockUnion {
        &self.sign_on_acls
    }

    /// Every ACL of resource servers, as one question.
    pub fn resource_server_acls(&self) -> &BlockUnion {
        &self.resource_server_acls
    }
}

/// The same for the same ids in whatever order; the number of keys is in it, since an id may be all zeros.
fn set_of(keys: &[ApiKey]) -> u128 {
    keys.iter().fold(0, |set, key| set ^ key.id.as_u128()).wrapping_add(keys.len() as u128)
}

/// An identifier without one trailing slash, scheme and host in lower case; a UUID in its usual form.
pub fn comparable_identifier(identifier: &str) -> String {
    if let Some(uuid) = lenient_uuid(identifier) {
        return ::uuid::Uuid::from_u128(uuid).to_string();
    }
    let identifier = identifier.strip_suffix('/').unwrap_or(identifier);
    let authority = identifier.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = identifier.split_at_checked(authority).unwrap_or((identifier, ""));
    let (host, path) = match rest.find(['/', '?', '#']) {
        Some(end) if !scheme.is_empty() => rest.split_at_checked(end).unwrap_or((rest, "")),
        _ if scheme.is_empty() => ("", rest),
        _ => (rest, ""),
    };
    format!("{}{}{path}", scheme.to_ascii_lowercase(), host.to_ascii_lowercase())
}
