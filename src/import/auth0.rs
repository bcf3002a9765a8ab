//! Auth0: network ACLs (tenant access control lists) and the allowlists of attack protection, wherever they stand in an
//! export.
//!
//! Network ACLs of one scope are one list: of the active ones that match, the first by `priority` decides, and whom none
//! matches may pass. So what one of them says beyond addresses (countries, fingerprints, `log`) leaves out the whole
//! scope. A redirect is a block. An allowlist exempts its addresses from a protection and says nothing of others:
//! `--listed` says what it is to mean.

use super::effect::{self, Rule};
use super::tree::{self, Node};
use super::{Acl, Source, address, listed};
use crate::policy::acl::Action;
use crate::policy::finding::{Code, Report, Span};
use crate::policy::range::AddressRange;

/// What Auth0 takes for the priority of a rule that has none.
const PRIORITY: f64 = 50.0;
const ADDRESSES: [&str; 2] = ["ipv4_cidrs", "ipv6_cidrs"];

/// Everything that an export has of lists.
pub(super) fn read(source: &Source<'_>, report: &mut Report<'_>) -> Vec<Acl> {
    let Some(root) = tree::json(source.text, report) else { return Vec::new() };
    let mut found = Found::default();
    find(&root, source.stem, &mut found);
    let mut acls = Vec::new();
    for (scope, nodes) in &found.scopes {
        acls.extend(network_acl(scope, nodes, report));
    }
    for (name, node) in &found.allowlists {
        acls.extend(allowlist(name, node, source, report));
    }
    acls
}

#[derive(Default)]
struct Found<'n> {
    scopes: Vec<(&'n str, Vec<&'n Node>)>,
    allowlists: Vec<(&'n str, &'n Node)>,
}

fn find<'n>(node: &'n Node, name: &'n str, found: &mut Found<'n>) {
    for item in node.items().unwrap_or_default() {
        find(item, name, found);
    }
    if let Some(rule) = node.get("rule").filter(|rule| rule.is_map()) {
        let scope = rule.text_of("scope").unwrap_or("tenant");
        match found.scopes.iter_mut().find(|(known, _)| *known == scope) {
            Some((_, nodes)) => nodes.push(node),
            None => found.scopes.push((scope, vec![node])),
        }
        return;
    }
    for (key, value) in node.fields() {
        match value.items() {
            Some(items) if key.name == "allowlist" && !items.is_empty() => {
                found.allowlists.push((name, value))
            }
            _ => find(value, &key.name, found),
        }
    }
}

/// A network ACL that counts.
struct Ordered {
    priority: f64,
    action: Action,
    span: Span,
    ranges: Vec<AddressRange>,
}

fn network_acl(scope: &str, nodes: &[&Node], report: &mut Report<'_>) -> Option<Acl> {
    let active = nodes.iter().filter(|node| node.text_of("active") != Some("false"));
    let read: Vec<Option<Ordered>> = active.map(|node| ordered(node, report)).collect();
    let mut rules: Vec<Ordered> = read.into_iter().collect::<Option<_>>()?;
    rules.sort_by(|a, b| a.priority.total_cmp(&b.priority));
    for pair in rules.windows(2) {
        let [first, second] = pair else { continue };
        if first.priority.total_cmp(&second.priority).is_eq() && first.action != second.action {
            refuse(second.span, "two network ACLs with one priority, which allow and block", report);
            return None;
        }
    }
    let rules: Vec<Rule> =
        rules.iter().flat_map(|rule| rule.ranges.iter().map(|range| (*range, rule.action))).collect();
    let (entries, worked_out) = effect::of_ordered(&rules, Action::Allow);
    let mut acl = Acl::new(format!("auth0 {scope}"), Action::Allow, entries);
    acl.worked_out = worked_out;
    Some(acl.from(format!("Auth0's network ACLs of the scope {scope}")))
}

fn ordered(node: &Node, report: &mut Report<'_>) -> Option<Ordered> {
    let rule = node.get("rule")?;
    let action = action(rule, report);
    let ranges = match (rule.get("match"), rule.get("not_match")) {
        (Some(criteria), None) => addresses(criteria, report),
        (None, Some(criteria)) => addresses(criteria, report).map(|ranges| effect::complement(&ranges)),
        _ => {
            refuse(rule.span, "a network ACL has one of `match` and `not_match`", report);
            None
        }
    };
    let priority = node.text_of("priority").and_then(|text| text.parse().ok()).unwrap_or(PRIORITY);
    Some(Ordered { priority, action: action?, span: node.span, ranges: ranges? })
}

fn action(rule: &Node, report: &mut Report<'_>) -> Option<Action> {
    let action = rule.get("action").unwrap_or(rule);
    let set = |key: &str| action.text_of(key) == Some("true");
    match (set("allow"), set("block"), set("redirect")) {
        (true, false, false) => Some(Action::Allow),
        (false, true, false) => Some(Action::Block),
        (false, false, true) => {
            report
                .add(Code::LeftAside, action.span, "a redirect is not carried over")
                .label("these addresses are blocked")
                .hint("`redirect` in `[policy.blocked_page]`");
            Some(Action::Block)
        }
        _ => {
            refuse(action.span, "an action that neither allows nor blocks", report);
            None
        }
    }
}

fn addresses(criteria: &Node, report: &mut Report<'_>) -> Option<Vec<AddressRange>> {
    let (mut ranges, mut whole) = (Vec::new(), true);
    for (key, value) in criteria.fields() {
        if ADDRESSES.contains(&key.name.as_str()) {
            match texts(value, report) {
                Some(read) => ranges.extend(read),
                None => whole = false,
            }
        } else {
            refuse(key.span, &format!("`{}` is no list of addresses", key.name.escape_debug()), report);
            whole = false;
        }
    }
    if whole && ranges.is_empty() {
        refuse(criteria.span, "a network ACL without addresses", report);
        return None;
    }
    whole.then_some(ranges)
}

fn allowlist(name: &str, node: &Node, source: &Source<'_>, report: &mut Report<'_>) -> Option<Acl> {
    let action = listed(source, node.span, "an allowlist of attack protection", report)?;
    Some(Acl::listed(name, action, texts(node, report)?).from(format!("Auth0's allowlist of {name}")))
}

fn texts(node: &Node, report: &mut Report<'_>) -> Option<Vec<AddressRange>> {
    let items = node.items().unwrap_or_default();
    let read: Vec<_> =
        items.iter().map(|item| address::range(item.text().unwrap_or_default(), item.span, report)).collect();
    read.into_iter().collect()
}

fn refuse(span: Span, what: &str, report: &mut Report<'_>) {
    report.add(Code::LeftOut, span, what).label("all of its scope is left out");
}
