//! `aclgate stats`: what the entries of a running gateway's ACLs decided, as tables or as the JSON of `GET /api/stats`.

use super::CliError;
use super::management::{Client, Gateway};
use super::style::{ALLOW, BLOCK, FAINT, STRONG};
use crate::admin::stats::{AclStats, EntryStats, MOST_RESULTS, MatchedBy, Stats};
use crate::admin::wire::{EntryAction, IPAccessControlEntry};
use crate::policy::range::AddressRange;
use anstyle::Style;
use std::io::{self, Write};
use std::process::ExitCode;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const TIME: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");

/// Show what the entries of a running gateway's ACLs decided.
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Asks a running gateway how often each entry of each IP ACL decided and when it last did, since the \
        gateway was started. A reload keeps the counts of entries that stay as they are. An admin key is needed (a \
        reader will do), from --key-file, from ACLGATE_ADMIN_KEY, or as an answer to a question.",
    after_long_help = "Examples:\n  \
        aclgate stats -c /etc/aclgate/gateway.toml --key-file reader.key\n  \
        aclgate stats --url https://gateway.example:9091 --acl office-only --unused\n  \
        aclgate stats --json | jq '.entries[] | select(.hits > 100)'"
)]
pub struct Args {
    #[command(flatten)]
    gateway: Gateway,
    /// One ACL alone, by name or id.
    #[arg(long, value_name = "ACL")]
    acl: Option<String>,
    /// Only entries that nothing has hit.
    #[arg(long)]
    unused: bool,
    /// The most entries to show.
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: usize,
    /// Print the object of `GET /api/stats`.
    #[arg(long)]
    json: bool,
}

/// Asks and shows.
///
/// # Errors
/// The gateway cannot be asked, or the report not written.
pub fn run(arguments: &Args, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let stats = gather(&arguments.gateway.client()?, arguments)?;
    if arguments.json {
        let text = serde_json::to_string_pretty(&stats).map_err(io::Error::other)?;
        writeln!(out, "{text}")?;
    } else {
        write_report(&stats, arguments.unused, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// As many pages as it takes.
fn gather(client: &Client, arguments: &Args) -> Result<Stats, CliError> {
    let page = |start: usize| {
        let rows = (arguments.limit - start.min(arguments.limit)).min(MOST_RESULTS);
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("unused", if arguments.unused { "true" } else { "false" });
        query.append_pair("startRow", &start.to_string());
        query.append_pair("numberOfResults", &rows.to_string());
        if let Some(acl) = &arguments.acl {
            query.append_pair("ipAccessControlList", acl);
        }
        client.get::<Stats>(&format!("/api/stats?{}", query.finish()))
    };
    let mut stats = page(0)?;
    while stats.entries.len() < arguments.limit.min(stats.total) {
        let next = page(stats.entries.len())?.entries;
        if next.is_empty() {
            break;
        }
        stats.entries.extend(next);
    }
    Ok(stats)
}

fn write_report(stats: &Stats, unused: bool, out: &mut dyn Write) -> io::Result<()> {
    let since = time(Some(stats.since_instant));
    writeln!(out, "{FAINT}revision {}, counted since {since}{FAINT:#}\n", stats.revision)?;
    let head = ["IP ACL", "allowed", "blocked", "last asked", "entries", "unused"];
    write_table(&head, stats.acls.iter().map(acl_cells).collect(), out)?;
    let title = if unused { "Entries that nothing has hit" } else { "Entries" };
    writeln!(out, "\n{STRONG}{title}{STRONG:#}")?;
    let head = ["hits", "last hit", "IP ACL", "action", "entry", "place"];
    write_table(&head, stats.entries.iter().map(entry_cells).collect(), out)?;
    let left = stats.total.saturating_sub(stats.entries.len());
    if left > 0 {
        writeln!(out, "{FAINT}{left} more; --limit shows them{FAINT:#}")?;
    }
    Ok(())
}

type Cell = (Style, String);

fn acl_cells(acl: &AclStats) -> [Cell; 6] {
    let AclStats { id: _, name, entries, unused_entries, allowed, blocked, last_hit_instant } = acl;
    [
        name.clone(),
        allowed.to_string(),
        blocked.to_string(),
        time(*last_hit_instant),
        entries.to_string(),
        unused_entries.to_string(),
    ]
    .map(|text| (Style::new(), text))
}

fn entry_cells(row: &EntryStats) -> [Cell; 6] {
    let EntryStats { acl_id: _, acl_name, matched, entry, place, hits, last_hit_instant } = row;
    let (style, action) = match entry.action {
        EntryAction::Allow => (ALLOW, "Allow"),
        EntryAction::Block => (BLOCK, "Block"),
    };
    let range = match matched {
        MatchedBy::Entry => range(entry),
        MatchedBy::Default => "* (default)".to_owned(),
        MatchedBy::Undetermined => "client address undetermined".to_owned(),
    };
    let plain = Style::new();
    [
        (plain, hits.to_string()),
        (plain, time(*last_hit_instant)),
        (plain, acl_name.clone()),
        (style, action.to_owned()),
        (plain, range),
        (FAINT, place.clone().unwrap_or_default()),
    ]
}

/// As it would be written in a file.
fn range(entry: &IPAccessControlEntry) -> String {
    let text = match &entry.end {
        Some(end) if *end != entry.start => format!("{}-{end}", entry.start),
        _ => entry.start.clone(),
    };
    text.parse::<AddressRange>().map_or(text, |range| range.to_string())
}

fn time(instant: Option<i64>) -> String {
    let time = instant.and_then(|millis| OffsetDateTime::from_unix_timestamp(millis.div_euclid(1000)).ok());
    time.and_then(|time| time.format(TIME).ok()).unwrap_or_else(|| "never".to_owned())
}

/// Columns as wide as their widest cell, two blanks between them.
fn write_table(head: &[&str; 6], rows: Vec<[Cell; 6]>, out: &mut dyn Write) -> io::Result<()> {
    let mut widths = head.map(|title| title.chars().count());
    for row in &rows {
        for (width, (_, text)) in widths.iter_mut().zip(row) {
            *width = (*width).max(text.chars().count());
        }
    }
    let head = head.map(|title| (FAINT, title.to_owned()));
    for row in std::iter::once(head).chain(rows) {
        let mut blanks = 0;
        for ((style, text), width) in row.iter().zip(widths) {
            if !text.is_empty() {
                write!(out, "{:blanks$}{style}{text}{style:#}", "")?;
                blanks = 0;
            }
            blanks += width + 2 - text.chars().count();
        }
        writeln!(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats() -> Stats {
        let entry = |start: &str, end: Option<&str>| IPAccessControlEntry {
            action: EntryAction::Allow,
            start: start.to_owned(),
            end: end.map(str::to_owned),
            expiration_instant: None,
            note: None,
            owner: None,
        };
        let row = |matched, entry, hits, last_hit_instant| EntryStats {
            acl_id: "i".to_owned(),
            acl_name: "office".to_owned(),
            matched,
            place: (matched == MatchedBy::Entry).then(|| "gateway.toml:12".to_owned()),
            entry,
            hits,
            last_hit_instant,
        };
        Stats {
            revision: 3,
            since_instant: 0,
            acls: vec![AclStats {
                id: "i".to_owned(),
                name: "office".to_owned(),
                entries: 3,
                unused_entries: 1,
                allowed: 1234,
                blocked: 0,
                last_hit_instant: Some(86_399_999),
            }],
            entries: vec![
                row(MatchedBy::Entry, entry("192.0.2.0", Some("192.0.2.255")), 1200, Some(86_399_999)),
                row(MatchedBy::Default, entry("*", None), 34, Some(0)),
                row(MatchedBy::Entry, entry("192.0.2.1", Some("192.0.2.1")), 0, None),
            ],
            total: 5,
        }
    }

    #[test]
    fn the_report_lines_up() {
        let mut report = Vec::new();
        write_report(&stats(), false, &mut report).unwrap();
        let report = anstream::adapter::strip_bytes(&report).into_vec();
        let expected = "\
revision 3, counted since 1970-01-01 00:00:00Z

IP ACL  allowed  blocked  last asked            entries  unused
office  1234     0        1970-01-01 23:59:59Z  3        1

Entries
hits  last hit              IP ACL  action  entry         place
1200  1970-01-01 23:59:59Z  office  Allow   192.0.2.0/24  gateway.toml:12
34    1970-01-01 00:00:00Z  office  Allow   * (default)
0     never                 office  Allow   192.0.2.1     gateway.toml:12
2 more; --limit shows them
";
        assert_eq!(String::from_utf8(report).unwrap(), expected);
    }

    #[test]
    fn the_object_reads_back() {
        let text = serde_json::to_string(&stats()).unwrap();
        assert_eq!(serde_json::from_str::<Stats>(&text).unwrap(), stats());
    }
}
