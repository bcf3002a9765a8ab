//! Applications that are more open than the default tenant (SPEC §4, end): the later steps of a login may carry no
//! `client_id`, and there the default tenant's ACL holds, so the login of such an application breaks half-way.
//!
//! More open: some address passes the application's ACL and not the default tenant's. Exact for ACLs of usual size, as
//! what an ACL says can only change at the ends of its ranges; beyond [`EXACT`] entries it is taken for granted.

use super::subjects::Tenants;
use crate::policy::acl::{Action, Entry, IpAcl};
use crate::policy::finding::{Code, Report, Span};
use crate::policy::subject::Application;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Entries of both ACLs together up to which they are compared.
const EXACT: usize = 20_000;

pub(super) fn warn_of_opener_applications(
    tenants: &Tenants,
    applications: &[(Arc<Application>, Option<Span>)],
    report: &mut Report<'_>,
) {
    let Some(default) = tenants.default() else { return };
    let Some(closed) = &default.assignment else { return };
    let mut by_acl: HashMap<*const IpAcl, (bool, usize, usize)> = HashMap::new();
    for (at, (application, _)) in applications.iter().enumerate() {
        let Some(own) = &application.assignment else { continue };
        let new = || (is_more_open(&own.acl, &closed.acl), at, 0);
        by_acl.entry(Arc::as_ptr(&own.acl)).or_insert_with(new).2 += 1;
    }
    for (_, first, count) in by_acl.into_values().filter(|(open, ..)| *open) {
        let Some((application, Some(place))) = applications.get(first) else { continue };
        let others = match count {
            0 | 1 => String::new(),
            2 => " (and 1 other)".to_owned(),
            many => format!(" (and {} others)", many - 1),
        };
        let (name, tenant) = (&application.name, &default.name);
        let message = format!("application `{name}`{others} is more open than the default tenant `{tenant}`");
        let hint = "later steps of a login may carry no `client_id`, and there the default tenant's ACL holds: \
                    use a default tenant without an ACL";
        report.add(Code::OpenerApplication, *place, message).label("lets more addresses in").hint(hint);
    }
}

fn is_more_open(one: &Arc<IpAcl>, other: &Arc<IpAcl>) -> bool {
    if Arc::ptr_eq(one, other) {
        return false;
    }
    if one.len() + other.len() > EXACT {
        return true;
    }
    let lowest = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
    let ends = one
        .entries()
        .chain(other.entries())
        .flat_map(|entry: Entry| [Some(entry.range.start()), successor(entry.range.end())]);
    let allows = |acl: &IpAcl, address| acl.test(Some(address)).action == Action::Allow;
    lowest.into_iter().chain(ends.flatten()).any(|address| allows(one, address) && !allows(other, address))
}

fn successor(address: IpAddr) -> Option<IpAddr> {
    Some(match address {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits().checked_add(1)?).into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits().checked_add(1)?).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::acl::{IpAclBuilder, Place};

    fn acl(default: Action, entries: &[(&str, Action)]) -> Arc<IpAcl> {
        let mut builder = IpAclBuilder::new(uuid::Uuid::nil(), "x", default);
        for (range, action) in entries {
            builder.push(range.parse().unwrap(), *action, Place { file: 0, line: 1 });
        }
        Arc::new(builder.build())
    }

    #[test]
    fn openness_is_compared_address_by_address() {
        use Action::{Allow, Block};
        let office = [("192.0.2.0/24", Allow)];
        let part = [("192.0.2.0/28", Allow)];
        let cases = [
            ("all and office", acl(Allow, &[]), acl(Block, &office), true),
            ("office and all", acl(Block, &office), acl(Allow, &[]), false),
            ("part and office", acl(Block, &part), acl(Block, &office), false),
            ("office and part", acl(Block, &office), acl(Block, &part), true),
            ("all but one and all", acl(Allow, &[("192.0.2.1", Block)]), acl(Allow, &[]), false),
            ("all and all but one", acl(Allow, &[]), acl(Allow, &[("192.0.2.1", Block)]), true),
            ("all and all but the last", acl(Allow, &[]), acl(Allow, &[("255.255.255.255", Block)]), true),
            ("v6 alone", acl(Block, &[("::/0", Allow)]), acl(Block, &[("0.0.0.0/0", Allow)]), true),
            (
                "same in other words",
                acl(Block, &[("0.0.0.0/0", Allow), ("::/0", Allow)]),
                acl(Allow, &[]),
                false,
            ),
        ];
        for (name, one, other, expected) in cases {
            assert_eq!(is_more_open(&one, &other), expected, "{name}");
        }
    }
}
