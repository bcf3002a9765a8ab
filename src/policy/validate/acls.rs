//! `[[ip_acl]]`: entries parsed, list files read, ACLs compiled and found by name or id.

use super::derived_id;
use super::geography::Geography;
use super::lists::ListFiles;
use super::seen::{Seen, unknown};
use crate::policy::acl::{Action, Entry, IpAcl, IpAclBuilder, Place};
use crate::policy::document::reader::At;
use crate::policy::document::{AclTable, EntryValue};
use crate::policy::finding::{Code, Excerpt, Report, Span};
use crate::policy::moment::Moment;
use crate::policy::range::AddressRange;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// Crossings of one ACL that are shown.
const SHOWN_CROSSINGS: usize = 10;

/// The ACLs of a policy.
#[derive(Debug)]
pub struct Acls {
    listed: Vec<Listed>,
    by_name: HashMap<Arc<str>, usize>,
    by_id: HashMap<Uuid, usize>,
}

#[derive(Debug)]
struct Listed {
    acl: Arc<IpAcl>,
    place: Span,
    /// Also for one whose name is wrong, which nobody can refer to.
    used: bool,
}

impl Acls {
    /// Builds every ACL, also those with mistakes: a reference to them is not a second mistake.
    pub(super) fn build(
        tables: Vec<AclTable<'_>>,
        (lists, geography): (&mut ListFiles<'_>, &Geography),
        now: Moment,
        report: &mut Report<'_>,
    ) -> Self {
        let mut acls = Self { listed: Vec::new(), by_name: HashMap::new(), by_id: HashMap::new() };
        let mut names = Seen::new();
        for table in tables {
            let place = table.name.map_or(table.span, |name| name.span);
            let id = table.id.map_or_else(
                || derived_id("ip-acl", table.name.map_or("", |name| name.value)),
                |id| id.value,
            );
            let is_new = table.name.is_some_and(|name| {
                let what = || format!("the IP ACL name `{}`", name.value.escape_debug());
                names.first(report, name.value.to_owned(), name.span, what)
            });
            // Names and ids are one namespace: a name in the form of a UUID would be mistaken for an id.
            if is_new || table.id.is_some() {
                let id_place = table.id.map_or(place, |id| id.span);
                names.first(report, id.to_string(), id_place, || format!("the IP ACL id `{id}`"));
            }
            let name = table.name.map_or("", |name| name.value).into();
            let builder = IpAclBuilder::new(id, Arc::clone(&name), table.default.unwrap_or(Action::Block));
            let acl = Arc::new(build(table, builder.as_of(now), (&mut *lists, geography), report));
            let at = acls.listed.len();
            acls.listed.push(Listed { acl, place, used: !is_new });
            acls.by_name.entry(name).or_insert(at);
            acls.by_id.entry(id).or_insert(at);
        }
        acls
    }

    /// The ACL that a name or id means, from now on in use; an unknown one is reported.
    pub fn resolve(&mut self, reference: At<&str>, report: &mut Report<'_>) -> Option<Arc<IpAcl>> {
        let by_id = || reference.value.parse().ok().and_then(|id: Uuid| self.by_id.get(&id));
        let at = self.by_name.get(reference.value).or_else(by_id).copied();
        let Some(listed) = at.and_then(|at| self.listed.get_mut(at)) else {
            unknown(report, reference, "IP ACL", self.by_name.keys().map(|name| &**name));
            return None;
        };
        listed.used = true;
        Some(Arc::clone(&listed.acl))
    }

    pub(super) fn all(&self) -> Vec<Arc<IpAcl>> {
        self.listed.iter().map(|listed| Arc::clone(&listed.acl)).collect()
    }

    pub(super) fn warn_of_unused(&self, report: &mut Report<'_>) {
        for listed in self.listed.iter().filter(|listed| !listed.used) {
            let message = format!("nothing is given the IP ACL `{}`", listed.acl.name());
            report
                .add(Code::UnusedAcl, listed.place, message)
                .label("never used")
                .hint("set it as the `ip_acl` of an api_key, tenant, application, resource_server or path");
        }
    }
}

fn build(
    table: AclTable<'_>,
    builder: IpAclBuilder,
    (lists, geography): (&mut ListFiles<'_>, &Geography),
    report: &mut Report<'_>,
) -> IpAcl {
    let AclTable {
        span: _,
        name: _,
        id: _,
        default: _,
        entries,
        files,
        origins,
        insert_instant,
        last_update_instant,
        data,
    } = table;
    let mut builder = builder.instants(insert_instant, last_update_instant).data(data);
    let mut written = HashMap::with_capacity(entries.len());
    for entry in entries {
        push(entry, &mut builder, &mut written, report);
    }
    for list in files {
        lists.read(report, &list, &mut builder);
    }
    geography.push(&origins, &mut builder, report);
    let acl = builder.build();
    for (one, other) in acl.crossings(SHOWN_CROSSINGS) {
        warn_of_crossing(&acl, (one, other), &written, lists, report);
    }
    acl
}

type Written = HashMap<AddressRange, (Action, Span)>;

fn push(entry: EntryValue<'_>, builder: &mut IpAclBuilder, written: &mut Written, report: &mut Report<'_>) {
    let EntryValue { action, range: text, details, expires } = entry;
    let range = match text.value.parse::<AddressRange>() {
        Ok(range) => range,
        Err(error) => {
            let finding = report.add(Code::BadRange, text.span, error.to_string());
            finding.label("expected an address, a CIDR block or `start-end`");
            return;
        }
    };
    match (details.expires, expires) {
        (Some(moment), Some(span)) if !details.hold_at(builder.now()) => {
            let message = format!("the entry `{}` expired at {moment}", text.value);
            let finding = report.add(Code::ExpiredEntry, span, message);
            finding.label("it is as if it were not there").hint("remove the entry, or give it more time");
        }
        _ => warn_of_contradiction(written, range, (action, text), report),
    }
    let place = Place { file: 0, line: report.source().line(text.span.start) };
    builder.push_detailed(range, action, (place, details));
}

fn warn_of_contradiction(
    written: &mut Written,
    range: AddressRange,
    (action, text): (Action, At<&str>),
    report: &mut Report<'_>,
) {
    let (first, place) = *written.entry(range).or_insert((action, text.span));
    if first != action {
        let excerpt = report.source().excerpt(place);
        let message = format!("`{}` is both allowed and blocked", text.value);
        let finding = report.add(Code::Contradiction, text.span, message);
        finding.label("Block wins").related(excerpt, "also here").hint("remove one of them");
    }
}

fn warn_of_crossing(
    acl: &IpAcl,
    (one, other): (Entry, Entry),
    written: &Written,
    lists: &ListFiles<'_>,
    report: &mut Report<'_>,
) {
    let excerpt = |entry: &Entry, report: &Report<'_>| -> Excerpt {
        let inline = || match written.get(&entry.range) {
            Some((_, span)) => report.source().excerpt(*span),
            None => report.source().excerpt(report.source().line_span(entry.place.line)),
        };
        lists.excerpt(entry.place.file, entry.place.line).unwrap_or_else(inline)
    };
    let verb = |entry: &Entry| match entry.action {
        Action::Allow => "allowed",
        Action::Block => "blocked",
    };
    let (one_place, other_place) = (excerpt(&one, report), excerpt(&other, report));
    let message = format!("ranges `{}` and `{}` of `{}` cross", one.range, other.range, acl.name());
    let finding = report.add_at(Code::CrossingRanges, one_place, message);
    finding.label(verb(&one)).related(other_place, verb(&other));
    finding.hint("in what they share, the narrower range wins, and Block where both are of one size");
}
