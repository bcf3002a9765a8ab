//! Caddy: the lists of `remote_ip` and `client_ip` matchers, in a Caddyfile or in JSON.
//!
//! A matcher is a set of addresses; `--listed` says what becomes of those that it matches. Behind `not` they are all
//! others. What else a matcher asks for (a path, a header) is not the list's business, and is said to be left aside.

mod caddyfile;

use super::tree::{self, Node};
use super::{Acl, Source, address, listed, opposite};
use crate::policy::finding::{Code, Report, Span};

const MATCHERS: [&str; 2] = ["remote_ip", "client_ip"];

/// A list of a matcher, as it is written.
struct Matcher<'t> {
    name: String,
    kind: String,
    span: Span,
    negated: bool,
    ranges: Vec<(&'t str, Span)>,
}

/// The lists of all matchers.
pub(super) fn read(source: &Source<'_>, report: &mut Report<'_>) -> Vec<Acl> {
    if serde_json::from_str::<serde_json::Value>(source.text).is_err() {
        let matchers = caddyfile::matchers(source.text, report);
        return matchers.iter().filter_map(|matcher| acl(matcher, source, report)).collect();
    }
    let Some(root) = tree::json(source.text, report) else { return Vec::new() };
    let mut matchers = Vec::new();
    find(&root, false, (&mut matchers, report));
    matchers.iter().filter_map(|matcher| acl(matcher, source, report)).collect()
}

fn acl(matcher: &Matcher<'_>, source: &Source<'_>, report: &mut Report<'_>) -> Option<Acl> {
    let Matcher { name, kind, span, negated, ranges } = matcher;
    let action = listed(source, *span, &format!("the matcher `{}`", name.escape_debug()), report)?;
    let mut read = Vec::new();
    for (text, span) in ranges {
        match *text {
            "private_ranges" => read.extend(address::PRIVATE.iter().map(|text| text.parse().ok())),
            text if text.contains('{') => {
                let what = format!("`{}` is known to Caddy alone", text.escape_debug());
                report.add(Code::LeftOut, *span, what).label("the list is left out");
                read.push(None);
            }
            text => read.push(address::range(text, *span, report)),
        }
    }
    let ranges: Vec<_> = read.into_iter().collect::<Option<_>>()?;
    let action = if *negated { opposite(action) } else { action };
    let not = if *negated { "not " } else { "" };
    Some(Acl::listed(name.as_str(), action, ranges).from(format!("Caddy's {not}{kind} of {name}")))
}

/// Looks for matchers in JSON.
fn find<'n>(node: &'n Node, negated: bool, (found, report): (&mut Vec<Matcher<'n>>, &mut Report<'_>)) {
    for item in node.items().unwrap_or_default() {
        find(item, negated, (found, report));
    }
    let lists = node.fields().iter().filter(|(key, value)| {
        MATCHERS.contains(&key.name.as_str())
            && value.get("ranges").is_some_and(|ranges| ranges.items().is_some())
    });
    for (position, (key, value)) in lists.enumerate() {
        if position > 0 {
            only_together(key.span, report);
            found.pop();
            break;
        }
        let texts = value.get("ranges").and_then(Node::items).unwrap_or_default();
        let ranges = texts.iter().map(|item| (item.text().unwrap_or_default(), item.span)).collect();
        found.push(Matcher {
            name: key.name.clone(),
            kind: key.name.clone(),
            span: key.span,
            negated,
            ranges,
        });
    }
    for (key, value) in node.fields().iter().filter(|(key, _)| !MATCHERS.contains(&key.name.as_str())) {
        find(value, negated != (key.name == "not"), (found, report));
    }
}

/// Two matchers that must both match are no list.
fn only_together(span: Span, report: &mut Report<'_>) {
    let what = "two lists of which both must match";
    report.add(Code::LeftOut, span, what).label("both are left out").hint("import each by itself");
}

fn set_aside(span: Span, what: &str, report: &mut Report<'_>) {
    let what = format!("`{}` is not carried over", what.escape_debug());
    report.add(Code::LeftAside, span, what).label("the list alone is imported");
}
