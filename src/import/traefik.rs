//! Traefik: every `ipAllowList` (`ipWhiteList` before version 3) with its `sourceRange`, in YAML or TOML, in the files of the
//! file provider or as a `Middleware` of Kubernetes. What is listed may pass, all others may not.

use super::tree::{self, Content, Node};
use super::{Acl, Source, address};
use crate::policy::acl::Action;
use crate::policy::finding::{Code, Report, Span};

const LISTS: [&str; 2] = ["ipallowlist", "ipwhitelist"];

/// The lists of all middlewares.
pub(super) fn read(source: &Source<'_>, report: &mut Report<'_>) -> Vec<Acl> {
    let is_toml = source.text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    let is_toml = is_toml.is_some_and(|line| line.starts_with('[') || line.contains(" = "));
    let documents = if is_toml {
        tree::toml(source.text, report).map(|root| vec![root])
    } else {
        tree::yaml(source.text, report)
    };
    let mut acls = Vec::new();
    for document in documents.unwrap_or_default() {
        let name = document.get("metadata").and_then(|metadata| metadata.text_of("name"));
        find(&document, name.unwrap_or(source.stem), name.is_some(), (&mut acls, report));
    }
    acls
}

/// Looks for lists below a node; `name` is that of the middleware around it, `fixed` if nothing further in names it.
fn find(node: &Node, name: &str, fixed: bool, (acls, report): (&mut Vec<Acl>, &mut Report<'_>)) {
    for item in node.items().unwrap_or_default() {
        find(item, name, fixed, (acls, report));
    }
    for (key, value) in node.fields() {
        if LISTS.contains(&key.name.to_ascii_lowercase().as_str()) {
            acls.extend(
                list(value, name, key.span, report).map(|acl| acl.from(format!("Traefik's {}", key.name))),
            );
        } else {
            find(value, if fixed { name } else { &key.name }, fixed, (acls, report));
        }
    }
}

fn list(node: &Node, name: &str, span: Span, report: &mut Report<'_>) -> Option<Acl> {
    for (key, _) in node.fields().iter().filter(|(key, _)| key.name != "sourceRange") {
        let what = format!("`{}` is not carried over", key.name.escape_debug());
        let finding = report.add(Code::LeftAside, key.span, what).label("not the list's business here");
        match key.name.as_str() {
            "ipStrategy" => finding.hint("`[client_ip]` says how the client's address is found"),
            "rejectStatusCode" => finding.hint("`[policy.blocked_path]` says what a blocked request gets"),
            _ => finding,
        };
    }
    let Some(items) = node.get("sourceRange").and_then(Node::items).filter(|items| !items.is_empty()) else {
        report.add(Code::LeftOut, span, "a list without `sourceRange`").label("expected a list of addresses");
        return None;
    };
    let mut ranges = Vec::with_capacity(items.len());
    for item in items {
        // A key of flow style may be a text of several addresses in labels.
        let Content::Text(text) = &item.content else {
            report.add(Code::WrongType, item.span, "an item of `sourceRange` is no text").label("left out");
            return None;
        };
        ranges.push(address::range(text.trim(), item.span, report));
    }
    let ranges: Option<Vec<_>> = ranges.into_iter().collect();
    Some(Acl::listed(name, Action::Allow, ranges?))
}
