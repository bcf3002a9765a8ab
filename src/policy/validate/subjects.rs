//! API keys, tenants, applications, resource servers and paths: unique, and given the ACLs that they refer to.

use super::acls::Acls;
use super::rules::path;
use super::seen::{Seen, unknown};
use super::{comparable_id, derived_id};
use crate::policy::compiled::comparable_identifier;
use crate::policy::document::reader::At;
use crate::policy::document::{
    ApiKeyTable, ApplicationTable, AssignmentKeys, PathTable, ResourceServerTable, TenantTable,
};
use crate::policy::finding::{Code, Report, Span};
use crate::policy::subject::{ApiKey, Application, Assignment, Mode, PathRule, ResourceServer, Tenant};
use std::collections::HashMap;
use std::net::Ipv6Addr;
use std::sync::Arc;

/// Gives out ACLs.
#[derive(Debug)]
pub(super) struct Assigner<'a> {
    pub(super) acls: &'a mut Acls,
    /// The whole policy's mode.
    pub(super) mode: Mode,
}

impl Assigner<'_> {
    fn assign(&mut self, keys: &AssignmentKeys<'_>, report: &mut Report<'_>) -> Option<Assignment> {
        let acl = self.acls.resolve(keys.acl?, report)?;
        let mode = if self.mode == Mode::Report { Mode::Report } else { keys.mode };
        Some(Assignment { acl, mode })
    }
}

pub(super) fn api_keys(
    tables: Vec<ApiKeyTable<'_>>,
    assign: &mut Assigner<'_>,
    report: &mut Report<'_>,
) -> Vec<ApiKey> {
    let (mut names, mut ids, mut hashes) = (Seen::new(), Seen::new(), Seen::new());
    let mut keys = Vec::with_capacity(tables.len());
    for table in tables {
        let assignment = assign.assign(&table.assignment, report);
        let is_new = table.name.is_some_and(|name| {
            let what = || format!("the API key name `{}`", name.value.escape_debug());
            names.first(report, name.value, name.span, what)
        });
        let derived = || table.name.map(|name| name.map(|name| derived_id("api-key", name)));
        let Some(id) = table.id.or_else(derived) else { continue };
        if is_new || table.id.is_some() {
            ids.first(report, id.value, id.span, || format!("the API key id `{}`", id.value));
        }
        let Some(hash) = table.hash else { continue };
        hashes.first(report, hash.value, hash.span, || "the same API key".to_owned());
        let name = table.name.map_or_else(|| id.value.to_string().into(), |name| name.value.into());
        keys.push(ApiKey {
            id: id.value,
            name,
            hash: hash.value,
            assignment,
            insert_instant: table.insert_instant,
            last_update_instant: table.last_update_instant,
            data: table.data.map(Arc::new),
        });
    }
    keys
}

/// Tenants, found by name or id.
#[derive(Debug)]
pub(super) struct Tenants {
    listed: Vec<Arc<Tenant>>,
    by_name: HashMap<String, usize>,
}

impl Tenants {
    fn resolve(&self, reference: At<&str>, report: &mut Report<'_>) -> Option<Arc<Tenant>> {
        let at =
            self.by_name.get(reference.value).or_else(|| self.by_name.get(&comparable_id(reference.value)));
        let tenant = at.and_then(|at| self.listed.get(*at)).cloned();
        if tenant.is_none() {
            let names = self.listed.iter().flat_map(|tenant| [&*tenant.name, &*tenant.id]);
            unknown(report, reference, "tenant", names);
        }
        tenant
    }

    pub(super) fn default(&self) -> Option<&Arc<Tenant>> {
        self.listed.iter().find(|tenant| tenant.default)
    }

    pub(super) fn into_subjects(self) -> Vec<Arc<Tenant>> {
        self.listed
    }
}

pub(super) fn tenants(
    tables: Vec<TenantTable<'_>>,
    assign: &mut Assigner<'_>,
    report: &mut Report<'_>,
) -> Tenants {
    let (mut names, mut hosts) = (Seen::new(), Seen::new());
    let mut default: Option<Span> = None;
    let mut tenants = Tenants { listed: Vec::with_capacity(tables.len()), by_name: HashMap::new() };
    for table in tables {
        let assignment = assign.assign(&table.assignment, report);
        let hosts = table.hosts.iter().filter_map(|host| unique_host(*host, &mut hosts, report)).collect();
        if let (Some(span), Some(first)) = (table.default, default) {
            let first = report.source().excerpt(first);
            let finding = report.add(Code::SecondDefault, span, "a second default tenant");
            finding.label("only one tenant can be the default").related(first, "the first");
        }
        default = default.or(table.default);
        let Some(id) = table.id else { continue };
        let at = tenants.listed.len();
        // Names and ids are one namespace; a tenant whose name is its id has it once.
        for (text, what) in [(Some(id), "id"), (table.name, "name")] {
            let Some(text) =
                text.filter(|text| what == "id" || comparable_id(text.value) != comparable_id(id.value))
            else {
                continue;
            };
            let key = comparable_id(text.value);
            let what = || format!("the tenant {what} `{}`", text.value.escape_debug());
            if names.first(report, key.clone(), text.span, what) {
                tenants.by_name.insert(key, at);
            }
        }
        let name = table.name.unwrap_or(id).value.into();
        let default = table.default.is_some();
        tenants.listed.push(Arc::new(Tenant { id: id.value.into(), name, hosts, default, assignment }));
    }
    tenants
}

/// A host as requests are compared with it: in lower case, without trailing dot.
fn unique_host(host: At<&str>, seen: &mut Seen<Arc<str>>, report: &mut Report<'_>) -> Option<Arc<str>> {
    let folded = host.value.strip_suffix('.').unwrap_or(host.value).to_ascii_lowercase();
    if !is_host(&folded) {
        let message = format!("`{}` is no host", host.value.escape_debug());
        report.add(Code::BadHost, host.span, message).label("expected a name or address without port");
        return None;
    }
    let folded: Arc<str> = folded.into();
    seen.first(report, Arc::clone(&folded), host.span, || format!("the host `{folded}`")).then_some(folded)
}

/// Whether a text is a host name (RFC 1123 §2.1, underscores allowed), an IPv4 address or an IPv6 address in brackets.
fn is_host(text: &str) -> bool {
    if let Some(address) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// Applications, each with the place of its ACL, if it has one.
pub(super) fn applications(
    tables: Vec<ApplicationTable<'_>>,
    tenants: &Tenants,
    assign: &mut Assigner<'_>,
    report: &mut Report<'_>,
) -> Vec<(Arc<Application>, Option<Span>)> {
    let mut ids = Seen::new();
    let mut applications = Vec::with_capacity(tables.len());
    for table in tables {
        let assignment = assign.assign(&table.assignment, report);
        let tenant = table.tenant.and_then(|tenant| tenants.resolve(tenant, report));
        let Some(id) = table.id else { continue };
        let what = || format!("the application id `{}`", id.value.escape_debug());
        ids.first(report, comparable_id(id.value), id.span, what);
        let name = table.name.unwrap_or(id).value.into();
        let application = Application { id: id.value.into(), name, tenant, assignment };
        applications.push((Arc::new(application), table.assignment.acl.map(|acl| acl.span)));
    }
    applications
}

pub(super) fn resource_servers(
    tables: Vec<ResourceServerTable<'_>>,
    assign: &mut Assigner<'_>,
    report: &mut Report<'_>,
) -> Vec<Arc<ResourceServer>> {
    let mut identifiers = Seen::new();
    let mut servers = Vec::with_capacity(tables.len());
    for table in tables {
        let assignment = assign.assign(&table.assignment, report);
        let Some(identifier) = table.identifier else { continue };
        let what = || format!("the resource server `{}`", identifier.value.escape_debug());
        identifiers.first(report, comparable_identifier(identifier.value), identifier.span, what);
        let name = table.name.unwrap_or(identifier).value.into();
        servers.push(Arc::new(ResourceServer { identifier: identifier.value.into(), name, assignment }));
    }
    servers
}

pub(super) fn path_rules(
    tables: Vec<PathTable<'_>>,
    assign: &mut Assigner<'_>,
    report: &mut Report<'_>,
) -> Vec<PathRule> {
    let mut prefixes = Seen::new();
    let mut rules = Vec::with_capacity(tables.len());
    for table in tables {
        let assignment = assign.assign(&table.assignment, report);
        let Some(text) = table.prefix else { continue };
        let Some(prefix) = path(text, report) else { continue };
        let folded = text.value.to_lowercase();
        let folded = folded.strip_suffix('/').unwrap_or(&folded).to_owned();
        prefixes.first(report, folded, text.span, || format!("the prefix `{}`", text.value.escape_debug()));
        rules.extend(assignment.map(|assignment| PathRule { prefix, assignment }));
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::is_host;

    #[test]
    fn hosts() {
        for host in [
            "acme.example",
            "localhost",
            "a_b.example",
            "192.0.2.1",
            "[2001:db8::1]",
            "xn--bcher-kva.example",
        ] {
            assert!(is_host(host), "{host}");
        }
        for host in
            ["", "a..b", "acme.example:443", "http://a", "a b", "*.example", "[::1", "[x]", "bücher.example"]
        {
            assert!(!is_host(host), "{host}");
        }
    }
}
