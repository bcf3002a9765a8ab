//! From what was written to a policy that is whole and consistent: references, duplicates, list files, databases,
//! crossings.
//!
//! A [`PolicyDocument`] and the files that it names in, a [`Draft`] out, and every finding at once. A draft is used only
//! if nothing was wrong: what was wrong is missing from it.
//!
//! References are by name or id; the names and ids of one kind are one namespace, so that no reference has two
//! meanings. Ids are compared as requests are ([`lenient_uuid`]): two that Java reads as the same UUID are duplicates.

mod acls;
mod geography;
mod lists;
mod openness;
mod rules;
mod seen;
mod subjects;

use super::compiled::PolicyParts;
use super::document::PolicyDocument;
use super::files::Files;
use super::finding::Report;
use super::moment::Moment;
use super::uuid::lenient_uuid;
use geography::Geography;
use lists::ListFiles;
use uuid::Uuid;

pub use acls::Acls;
pub use rules::INSPECT_BODY_BYTES;

/// A policy in the making; the management API's keys may yet be given ACLs.
#[derive(Debug)]
pub struct Draft {
    parts: PolicyParts,
    acls: Acls,
}

/// Checks everything that needs more than one value. Entries that have expired by `now` do not count.
pub fn validate(
    document: PolicyDocument<'_>,
    files: &dyn Files,
    now: Moment,
    report: &mut Report<'_>,
) -> Draft {
    let PolicyDocument { rules, geo, acls, api_keys, tenants, applications, resource_servers, paths } =
        document;
    let rules = rules::rules(rules, report);
    let mut lists = ListFiles::new(files);
    let geography = Geography::load(&geo, &acls, &mut lists, report);
    let mut acls = Acls::build(acls, (&mut lists, &geography), now, report);
    let mut assign = subjects::Assigner { acls: &mut acls, mode: rules.mode };
    let api_keys = subjects::api_keys(api_keys, &mut assign, report);
    let tenants = subjects::tenants(tenants, &mut assign, report);
    let applications = subjects::applications(applications, &tenants, &mut assign, report);
    let resource_servers = subjects::resource_servers(resource_servers, &mut assign, report);
    let path_rules = subjects::path_rules(paths, &mut assign, report);
    openness::warn_of_opener_applications(&tenants, &applications, report);
    let parts = PolicyParts {
        rules,
        acls: acls.all(),
        api_keys,
        tenants: tenants.into_subjects(),
        applications: applications.into_iter().map(|(application, _)| application).collect(),
        resource_servers,
        path_rules,
        unread: geography.unread(),
        files: std::iter::once(report.source().name().clone()).chain(lists.names().iter().cloned()).collect(),
    };
    Draft { parts, acls }
}

impl Draft {
    /// The ACLs, to be given to others.
    pub fn acls(&mut self) -> &mut Acls {
        &mut self.acls
    }

    /// Warns of ACLs that nothing was given, and hands out the parts.
    pub fn finish(self, report: &mut Report<'_>) -> PolicyParts {
        self.acls.warn_of_unused(report);
        self.parts
    }
}

/// The id of an object that has none in the file: version 5 of RFC 9562 §5.5 over its kind and name, so that it stays
/// the same for as long as the name does.
pub fn derived_id(kind: &str, name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("aclgate:{kind}:{name}").as_bytes())
}

/// What ids of tenants and applications are compared by.
fn comparable_id(id: &str) -> String {
    lenient_uuid(id).map_or_else(|| id.to_owned(), |uuid| Uuid::from_u128(uuid).to_string())
}
