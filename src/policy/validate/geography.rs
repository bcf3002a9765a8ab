//! What countries and autonomous systems are, by the databases of `[geo]`.
//!
//! Every ACL's wants in, ranges into their builders out; each database is read once, and only if somebody wants
//! something of it.
//!
//! A database that cannot be read is no error, as the gateway could not start then, but nobody gets through by its
//! absence: in an ACL that depends on it everybody is blocked whom no stronger entry names. That is one range over each
//! family, in the place of what the database would have said.

use super::lists::ListFiles;
use crate::policy::acl::{Action, IpAclBuilder};
use crate::policy::document::reader::At;
use crate::policy::document::{AclTable, GeoTable, OriginValue};
use crate::policy::finding::{Code, Report, Span};
use crate::policy::geo::{self, Origin, OriginKind, Ranges};
use crate::policy::range::AddressRange;
use std::collections::{HashMap, HashSet};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// The databases that ACLs depend on.
#[derive(Debug, Default)]
pub(super) struct Geography {
    databases: HashMap<OriginKind, Database>,
}

#[derive(Debug)]
struct Database {
    name: Arc<str>,
    /// Its index among the files.
    file: u16,
    /// `None`: it cannot be read.
    ranges: Option<Ranges>,
}

impl Geography {
    /// Reads what the ACLs want.
    pub(super) fn load(
        databases: &GeoTable<'_>,
        acls: &[AclTable<'_>],
        lists: &mut ListFiles<'_>,
        report: &mut Report<'_>,
    ) -> Self {
        let mut geography = Self::default();
        for (kind, key, path) in [
            (OriginKind::Country, "country_database", databases.country_database),
            (OriginKind::Asn, "asn_database", databases.asn_database),
        ] {
            let origins = acls.iter().flat_map(|acl| &acl.origins).map(|value| value.origin);
            let wanted: Vec<_> = origins.filter(|origin| origin.value.kind() == kind).collect();
            let Some(first) = wanted.first() else { continue };
            let Some(path) = path else {
                if !databases.wrong.contains(&key) {
                    report_no_database(report, (kind, key), first.span);
                }
                continue;
            };
            let wanted: HashSet<Origin> = wanted.iter().map(|origin| origin.value).collect();
            if let Some(database) = read(path, (kind, &wanted), lists, report) {
                geography.databases.insert(kind, database);
            }
        }
        geography
    }

    /// Adds what an ACL wants to it.
    pub(super) fn push(&self, origins: &[OriginValue], builder: &mut IpAclBuilder, report: &mut Report<'_>) {
        let mut seen: HashMap<Origin, (Action, Span)> = HashMap::new();
        let mut blind = HashSet::new();
        for OriginValue { action, origin } in origins {
            let (first, place) = *seen.entry(origin.value).or_insert((*action, origin.span));
            if first != *action {
                warn_of_contradiction(report, *origin, place);
            }
            builder.declare(origin.value, *action);
            let Some(database) = self.databases.get(&origin.value.kind()) else { continue };
            match &database.ranges {
                None => drop(blind.insert((origin.value.kind(), database.file))),
                Some(ranges) => match ranges.get(&origin.value) {
                    None => warn_of_emptiness(report, *origin, &database.name),
                    Some(ranges) => {
                        for range in ranges {
                            builder.push_origin(*range, *action, (origin.value, database.file));
                        }
                    }
                },
            }
        }
        for (kind, file) in blind {
            for range in everybody().into_iter().flatten() {
                builder.push_origin(range, Action::Block, (Origin::Unread(kind), file));
            }
        }
    }

    /// The names of the databases that cannot be read.
    pub(super) fn unread(&self) -> Vec<Arc<str>> {
        let unread = self.databases.values().filter(|database| database.ranges.is_none());
        let mut names: Vec<_> = unread.map(|database| Arc::clone(&database.name)).collect();
        names.sort_unstable();
        names
    }
}

/// Every address of either family.
fn everybody() -> [Option<AddressRange>; 2] {
    let v4 = AddressRange::new(Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::BROADCAST.into());
    let v6 = AddressRange::new(Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::from_bits(u128::MAX).into());
    [v4.ok(), v6.ok()]
}

fn read(
    path: At<&str>,
    (kind, wanted): (OriginKind, &HashSet<Origin>),
    lists: &mut ListFiles<'_>,
    report: &mut Report<'_>,
) -> Option<Database> {
    let (file, content) = lists.read_database(report, path)?;
    let ranges = match content {
        Err(error) => Err(error.to_string()),
        Ok(bytes) => {
            geo::ranges(&bytes, kind, |origin| wanted.contains(&origin)).map_err(|error| error.to_string())
        }
    };
    let ranges = ranges.map_err(|error| {
        let message = format!("the database `{}` cannot be read: {error}", path.value);
        let finding = report.add(Code::BlindDatabase, path.span, message);
        finding.label(format!("nobody knows {kind}"));
        finding
            .hint("ACLs that depend on it block everybody whom no other entry names, until it can be read");
    });
    Some(Database { name: path.value.into(), file, ranges: ranges.ok() })
}

fn report_no_database(report: &mut Report<'_>, (kind, key): (OriginKind, &str), span: Span) {
    let finding = report.add(Code::MissingKey, span, format!("`geo.{key}` is missing"));
    finding.label(format!("needs a database of {kind}"));
    finding.hint(format!("name it under `[geo]`: `{key} = \"…mmdb\"`"));
}

fn warn_of_emptiness(report: &mut Report<'_>, origin: At<Origin>, database: &str) {
    let message = format!("the database `{database}` has no network of {}", origin.value);
    report.add(Code::EmptyList, origin.span, message).label("does nothing");
}

fn warn_of_contradiction(report: &mut Report<'_>, origin: At<Origin>, first: Span) {
    let excerpt = report.source().excerpt(first);
    let finding =
        report.add(Code::Contradiction, origin.span, format!("{} is both allowed and blocked", origin.value));
    finding.label("Block wins").related(excerpt, "also here").hint("remove one of them");
}
