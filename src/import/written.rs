//! An imported ACL as a table of the configuration.

use super::Acl;
use crate::policy::acl::Action;
use std::fmt::Write as _;

/// Lists of more ranges than this have one a line.
const IN_A_LINE: usize = 4;

/// `[[ip_acl]]`, with a comment on where it comes from. Ranges by address, each once.
pub(super) fn table(acl: &Acl) -> String {
    let Acl { name, id, default, entries, instants: [inserted, updated], data, origin, worked_out } = acl;
    let mut text = String::new();
    if !origin.is_empty() {
        comment(&mut text, &format!("from {origin}"));
    }
    if *worked_out {
        comment(&mut text, "the ranges were worked out: there the first match decides, here the narrowest");
    }
    text.push_str("[[ip_acl]]\n");
    line(&mut text, "name", &quoted(name));
    if let Some(id) = id {
        line(&mut text, "id", &quoted(&id.to_string()));
    }
    line(&mut text, "default", if *default == Action::Allow { "\"allow\"" } else { "\"block\"" });
    for (key, action) in [("allow", Action::Allow), ("block", Action::Block)] {
        let mut ranges: Vec<_> =
            entries.iter().filter(|(_, of)| *of == action).map(|(range, _)| *range).collect();
        ranges.sort_unstable();
        ranges.dedup();
        if !ranges.is_empty() {
            list(&mut text, key, &ranges.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
    }
    for (key, instant) in [("insert_instant", inserted), ("last_update_instant", updated)] {
        if let Some(instant) = instant {
            line(&mut text, key, &instant.to_string());
        }
    }
    if let Some(data) = data {
        line(&mut text, "data_json", &quoted(data));
    }
    text
}

fn line(text: &mut String, key: &str, value: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{key} = {value}");
}

fn list(text: &mut String, key: &str, ranges: &[String]) {
    let items: Vec<String> = ranges.iter().map(|range| format!("\"{range}\"")).collect();
    if items.len() <= IN_A_LINE {
        line(text, key, &format!("[{}]", items.join(", ")));
    } else {
        line(text, key, &format!("[\n    {},\n]", items.join(",\n    ")));
    }
}

/// Whatever the source says, it stays in its line.
fn comment(text: &mut String, what: &str) {
    let what: String = what.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "# {what}");
}

fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}
