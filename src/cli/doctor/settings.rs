//! What a configuration says of itself: whom it trusts, who may reach the management listener, what is not enforced, how
//! old its lists are.

use super::finding::{Ailment, Finding};
use crate::config::ClientIpHeader;
use crate::policy::finding::{Code, Finding as Warned};
use crate::policy::subject::Mode;
use crate::store::Candidate;
use std::net::{IpAddr, ToSocketAddrs};
use std::time::{Duration, SystemTime};

/// A list that is older than this has been forgotten.
const OLD: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Everything that can be read off the file and its lists.
pub(super) fn look(candidate: &Candidate, now: SystemTime, found: &mut Vec<Finding>) {
    trust(candidate, found);
    admin(candidate, found);
    openness(candidate, found);
    lists(candidate, now, found);
    let known = [Code::TrustsEverybody, Code::CleartextAdmin];
    let warnings = candidate.findings.warnings().filter(|warning| !known.contains(&warning.code));
    found.extend(warnings.map(|warning: &Warned| {
        let seen = format!("{} at {} ({})", warning.message, warning.place(), warning.code.name());
        let expired = warning.code == Code::ExpiredEntry;
        Finding::new(if expired { Ailment::EntryExpired } else { Ailment::Unwise }, seen)
    }));
}

fn trust(candidate: &Candidate, found: &mut Vec<Finding>) {
    let settings = &candidate.config.client_ip;
    let whole = |family: &str| {
        let whole: Option<crate::policy::range::AddressRange> = family.parse().ok();
        whole.is_some_and(|whole| settings.trusted_proxies.ranges.contains(&whole))
    };
    if settings.header != ClientIpHeader::None && (whole("0.0.0.0/0") || whole("::/0")) {
        found.push(Finding::new(
            Ailment::TrustsEverybody,
            "`client_ip.trusted_proxies` takes in every address",
        ));
    }
}

fn admin(candidate: &Candidate, found: &mut Vec<Finding>) {
    let Some(admin) = &candidate.config.admin else { return };
    let addresses: Vec<_> = admin.listen.to_socket_addrs().into_iter().flatten().collect();
    let public = addresses.iter().map(|address| address.ip()).find(|address| is_public(*address));
    let local = !addresses.is_empty() && addresses.iter().all(|address| address.ip().is_loopback());
    let seen = match public {
        Some(_) => {
            format!("`admin.listen` is `{}`: open to every network that reaches this machine", admin.listen)
        }
        None if !local && admin.tls.is_none() => {
            format!("`admin.listen` is `{}`, beyond loopback and without TLS", admin.listen)
        }
        None => return,
    };
    found.push(Finding::new(Ailment::AdminPublic, seen));
}

/// Whether an address is neither loopback nor of a private network; the unspecified one stands for all.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !(address.is_loopback() || address.is_private() || address.is_link_local()),
        IpAddr::V6(address) => {
            !(address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local())
        }
    }
}

/// What is decided and not enforced, and who is never asked.
fn openness(candidate: &Candidate, found: &mut Vec<Finding>) {
    let parts = candidate.policy.parts();
    if parts.rules.mode == Mode::Report {
        found.push(Finding::new(Ailment::ReportOnly, "`policy.mode` is `report`"));
    }
    let applications = parts.applications.iter().map(|known| (&known.name, &known.assignment));
    let tenants = parts.tenants.iter().map(|known| (&known.name, &known.assignment));
    let assigned: Vec<_> =
        applications.chain(tenants).filter_map(|(name, acl)| Some((name, acl.as_ref()?))).collect();
    if parts.rules.mode == Mode::Enforce {
        let only = assigned.iter().filter(|(_, assignment)| assignment.mode == Mode::Report);
        found.extend(only.map(|(name, _)| {
            Finding::new(Ailment::ReportOnly, format!("`{name}` has its ACL in report mode"))
        }));
    }
    let default = candidate.policy.default_tenant().and_then(|tenant| tenant.assignment.as_ref());
    if !assigned.is_empty() && default.is_none() {
        let seen = match candidate.policy.default_tenant() {
            Some(tenant) => format!("the default tenant `{}` has no ACL, and others have one", tenant.name),
            None => "applications or tenants have ACLs, and no tenant is the default".to_owned(),
        };
        found.push(Finding::new(Ailment::DefaultTenantAbsent, seen));
    }
}

/// The policy file comes first, and is as old as it likes.
fn lists(candidate: &Candidate, now: SystemTime, found: &mut Vec<Finding>) {
    let listed = &candidate.policy.parts().files;
    for file in candidate.files.iter().skip(1) {
        let is_list = listed.iter().any(|list| file.ends_with(&**list));
        let modified = std::fs::metadata(file).and_then(|data| data.modified());
        let age = modified.ok().and_then(|modified| now.duration_since(modified).ok());
        if let Some(age) = age.filter(|age| is_list && *age > OLD) {
            let days = age.as_secs() / (24 * 60 * 60);
            found.push(Finding::new(Ailment::ListOld, format!("{} is {days} days old", file.display())));
        }
    }
}
