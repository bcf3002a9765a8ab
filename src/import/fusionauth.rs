//! FusionAuth: IP ACLs as its API gives them, alone or as a list. Id, instants and `data` come along.

use super::tree::{self, Content, Node};
use super::{Acl, Source, address};
use crate::policy::acl::Action;
use crate::policy::finding::{Code, Report, Span};
use crate::policy::range::AddressRange;

const ONE: &str = "ipAccessControlList";
const MANY: &str = "ipAccessControlLists";
const KNOWN: [&str; 6] = ["id", "name", "entries", "data", "insertInstant", "lastUpdateInstant"];

/// Every ACL of the text.
pub(super) fn read(source: &Source<'_>, report: &mut Report<'_>) -> Vec<Acl> {
    let Some(root) = tree::json(source.text, report) else { return Vec::new() };
    let lists = root.get(MANY).unwrap_or(&root);
    let nodes = match &lists.content {
        Content::List(items) => items.as_slice(),
        Content::Map(_) => std::slice::from_ref(lists.get(ONE).unwrap_or(lists)),
        Content::Text(_) | Content::Null => &[],
    };
    let lists =
        nodes.iter().map(|node| node.get(ONE).unwrap_or(node)).filter(|node| node.get("entries").is_some());
    lists.filter_map(|node| acl(node, source, report)).collect()
}

fn acl(node: &Node, source: &Source<'_>, report: &mut Report<'_>) -> Option<Acl> {
    for (key, _) in node.fields().iter().filter(|(key, _)| !KNOWN.contains(&key.name.as_str())) {
        let what = format!("`{}` is not carried over", key.name.escape_debug());
        report.add(Code::LeftAside, key.span, what).label("unknown to IP ACLs");
    }
    let entries = node.get("entries")?;
    let Some(items) = entries.items() else {
        report.add(Code::WrongType, entries.span, "`entries` is no list").label("the ACL is left out");
        return None;
    };
    let read: Vec<Option<Entry>> = items.iter().map(|item| entry(item, report)).collect();
    let read: Vec<Entry> = read.into_iter().collect::<Option<_>>()?;
    let mut defaults =
        read.iter().filter_map(|entry| if entry.range.is_none() { Some(entry.action) } else { None });
    let (Some(default), None) = (defaults.next(), defaults.next()) else {
        let what = "an IP ACL has exactly one entry with `*`";
        report.add(Code::Conflict, entries.span, what).label("the ACL is left out");
        return None;
    };
    let ranges = read.iter().filter_map(|entry| Some((entry.range?, entry.action))).collect();
    let mut acl = Acl::new(node.text_of("name").unwrap_or(source.stem), default, ranges).from("FusionAuth");
    acl.id = node.text_of("id").and_then(|id| id.parse().ok());
    acl.instants = ["insertInstant", "lastUpdateInstant"].map(|key| node.text_of(key)?.parse().ok());
    acl.data =
        node.get("data").filter(|data| !data.fields().is_empty()).and_then(|data| json_of(data, source.text));
    Some(acl)
}

/// The text of a value, if its place holds nothing else.
fn json_of(node: &Node, text: &str) -> Option<String> {
    let text = text.get(node.span.start..node.span.end)?;
    serde_json::from_str::<serde_json::Value>(text).ok().map(|value| value.to_string())
}

/// An entry; without a range it is the default.
struct Entry {
    action: Action,
    range: Option<AddressRange>,
}

fn entry(node: &Node, report: &mut Report<'_>) -> Option<Entry> {
    let action = match node.text_of("action") {
        Some("Allow") => Action::Allow,
        Some("Block") => Action::Block,
        _ => {
            refuse(
                node.get("action").map_or(node.span, |node| node.span),
                "`action` is `Allow` or `Block`",
                report,
            );
            return None;
        }
    };
    let Some(start) = node.get("startIPAddress") else {
        refuse(node.span, "an entry has a `startIPAddress`", report);
        return None;
    };
    let text = start.text().unwrap_or_default();
    if text == "*" {
        return Some(Entry { action, range: None });
    }
    let range = match node.get("endIPAddress") {
        // Our own exports may have a block.
        None => address::range(text, start.span, report)?,
        Some(end) => {
            let span = Span { start: start.span.start, end: end.span.end.max(start.span.end) };
            address::range(&format!("{text}-{}", end.text().unwrap_or_default()), span, report)?
        }
    };
    Some(Entry { action, range: Some(range) })
}

fn refuse(span: Span, what: &str, report: &mut Report<'_>) {
    report.add(Code::WrongType, span, what).label("the ACL is left out");
}
