//! The report of `aclgate impact`: for people, and as JSON.

use super::{Change, Group, Impact, Requests};
use crate::cli::style::{ALLOW, BLOCK, ERROR, FAINT, STRONG};
use crate::telemetry::SubjectKind;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::IpAddr;

/// The most clients of a group that people are shown.
const MOST_CLIENTS: usize = 20;

const CHANGES: [(Change, &str, &str); 3] = [
    (Change::Blocked, "newly blocked", "newlyBlocked"),
    (Change::Allowed, "newly allowed", "newlyAllowed"),
    (Change::Reported, "newly reported", "newlyReported"),
];

type Clients = BTreeMap<Option<IpAddr>, Requests>;

/// Writes the report for people.
pub(super) fn write(impact: &Impact, out: &mut dyn Write) -> io::Result<()> {
    let counts: Vec<_> = CHANGES
        .iter()
        .filter(|(change, ..)| *change != Change::Reported || impact.count(*change) > 0)
        .map(|(change, words, _)| format!("{} {words}", impact.count(*change)))
        .collect();
    let counts = counts.join(", ");
    writeln!(out, "{} decisions replayed: {} as before, {counts}", impact.replayed(), impact.unchanged)?;
    for (change, words, _) in CHANGES {
        if impact.count(change) > 0 {
            let style = if change == Change::Allowed { ALLOW } else { BLOCK };
            writeln!(out, "\n{style}{words}{style:#}")?;
        }
        for (group, clients) in impact.groups(change) {
            write_group(group, clients, out)?;
        }
    }
    write_gaps(impact, out)
}

fn write_group(group: &Group, clients: &Clients, out: &mut dyn Write) -> io::Result<()> {
    let requests: u64 = clients.values().map(|requests| requests.count).sum();
    let mut busiest: Vec<_> = clients.iter().collect();
    busiest.sort_by_key(|(_, requests)| std::cmp::Reverse(requests.count));
    let (number, word) = (clients.len(), if clients.len() == 1 { "client" } else { "clients" });
    writeln!(out, "  {STRONG}{}{STRONG:#}: {requests} requests of {number} {word}", subject(group))?;
    for (client, requests) in busiest.iter().take(MOST_CLIENTS) {
        let Requests { count, last, example } = requests;
        let last = last.as_deref().map_or_else(String::new, |last| format!(", last {last}"));
        writeln!(out, "    {count:>7}  {:<39}  {FAINT}{example}{last}{FAINT:#}", address(**client))?;
    }
    if number > MOST_CLIENTS {
        writeln!(out, "             and {} more; --json lists them all", number - MOST_CLIENTS)?;
    }
    Ok(())
}

/// What the replay does not cover.
fn write_gaps(impact: &Impact, out: &mut dyn Write) -> io::Result<()> {
    let unreplayable: u64 = impact.unreplayable.values().sum();
    if unreplayable > 0 {
        writeln!(out, "\n{ERROR}{unreplayable} decisions not replayed{ERROR:#}")?;
    }
    for (reason, count) in &impact.unreplayable {
        writeln!(out, "    {count:>7}  {reason}")?;
    }
    if impact.missing > 0 {
        let missing = impact.missing;
        writeln!(
            out,
            "\n{ERROR}{missing} decisions have no line{ERROR:#}: held back in a flood, or dropped"
        )?;
    }
    Ok(())
}

fn subject(Group { subject: (kind, name), acl, .. }: &Group) -> String {
    let words = SubjectKind::from_label(kind).map_or("no ACL", SubjectKind::words);
    let name = if name.is_empty() { String::new() } else { format!(" `{name}`") };
    let acl = acl.as_ref().map_or_else(String::new, |acl| format!(", ACL `{acl}`"));
    format!("{words}{name}{acl}")
}

fn address(client: Option<IpAddr>) -> String {
    client.map_or_else(|| "undetermined".to_owned(), |client| client.to_string())
}

/// The same as an object.
pub(super) fn to_json(impact: &Impact) -> Value {
    let mut object = json!({
        "replayed": impact.replayed(),
        "unchanged": impact.unchanged,
    });
    let groups =
        |change| impact.groups(change).map(|(group, clients)| group_object(group, clients)).collect();
    let reasons = impact
        .unreplayable
        .iter()
        .map(|(reason, count)| json!({ "reason": reason.to_string(), "decisions": count }));
    if let Some(fields) = object.as_object_mut() {
        for (change, _, name) in CHANGES {
            let value = json!({ "requests": impact.count(change), "groups": Value::Array(groups(change)) });
            fields.insert(name.to_owned(), value);
        }
        fields.insert("notReplayed".to_owned(), reasons.collect());
        fields.insert("withoutLine".to_owned(), impact.missing.into());
        fields.insert("otherLines".to_owned(), impact.other_lines.into());
    }
    object
}

fn group_object(Group { subject: (kind, name), acl, .. }: &Group, clients: &Clients) -> Value {
    let named = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    let clients: Vec<_> = clients
        .iter()
        .map(|(client, Requests { count, last, example })| {
            json!({
                "clientIPAddress": client.map(|client| client.to_string()),
                "requests": count,
                "last": last,
                "example": example,
            })
        })
        .collect();
    json!({
        "subject": { "kind": named(kind), "name": named(name) },
        "ipAccessControlList": acl,
        "clients": clients,
    })
}
