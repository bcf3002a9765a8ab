//! `GET /api/stats`: how often each entry of each ACL decided, and when it last did; what nothing has hit.
//!
//! The hits of the revision in force and a query in, one page of entries out: by hits, the rest in the order of the file;
//! with `unused=true` the rest alone. An ACL's default is an entry too; clients without a known address are shown as
//! `undetermined` where there were any. Cost: linear in the entries of the policy.

use super::call::{Call, millis};
use super::errors::{Errors, Problem};
use super::reply;
use super::wire::{self, IPAccessControlEntry};
use crate::policy::acl::{Action, Entry};
use crate::telemetry::hits::{AclHits, Hit, Hits};
use bytes::Bytes;
use http::Response;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use utoipa::ToSchema;

/// The most entries of a page.
pub const MOST_RESULTS: usize = 10_000;
/// The entries of a page, unless it is said.
const NUMBER_OF_RESULTS: usize = 25;

/// What is counted of the policy in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// The revision of the policy.
    pub revision: u64,
    /// Since when is counted, in milliseconds since 1970: the start of the process. Entries that a reload leaves as they
    /// are keep their counts.
    pub since_instant: i64,
    /// Every ACL, or the one that was asked for.
    #[serde(rename = "ipAccessControlLists")]
    pub acls: Vec<AclStats>,
    /// The page.
    pub entries: Vec<EntryStats>,
    /// How many entries there are on all pages.
    pub total: usize,
}

/// What is counted of an ACL.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AclStats {
    /// Its id.
    #[schema(format = "uuid")]
    pub id: String,
    /// Its name.
    pub name: String,
    /// How many entries it has, the default included.
    pub entries: usize,
    /// How many of them nothing has hit.
    pub unused_entries: usize,
    /// Times that it allowed, entries that are gone included.
    pub allowed: u64,
    /// Times that it blocked, or would have in report mode.
    pub blocked: u64,
    /// When it was last asked, in milliseconds since 1970.
    pub last_hit_instant: Option<i64>,
}

/// What of an ACL decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum MatchedBy {
    /// A range.
    Entry,
    /// The default.
    Default,
    /// The client's address was not known.
    Undetermined,
}

/// What is counted of an entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EntryStats {
    /// The id of its ACL.
    #[serde(rename = "ipAccessControlListId")]
    #[schema(format = "uuid")]
    pub acl_id: String,
    /// The name of its ACL.
    #[serde(rename = "ipAccessControlListName")]
    pub acl_name: String,
    /// What it is.
    pub matched: MatchedBy,
    /// The entry.
    pub entry: IPAccessControlEntry,
    /// The file that it stands in, and the line; the default has none.
    pub place: Option<String>,
    /// How often it decided.
    pub hits: u64,
    /// When it last did, in milliseconds since 1970.
    pub last_hit_instant: Option<i64>,
}

/// What is asked for.
#[derive(Debug)]
struct Wish<'a> {
    /// By name or id.
    acl: Option<&'a str>,
    unused: bool,
    start_row: usize,
    number_of_results: usize,
}

/// Something that can be hit.
#[derive(Debug)]
struct Row<'a> {
    acl: AclHits<'a>,
    what: What,
    hit: Hit,
}

#[derive(Debug)]
enum What {
    Entry(Entry),
    Default,
    Undetermined,
}

impl What {
    /// Whether somebody wrote it; what a database says of a country was written by nobody.
    fn is_written(&self) -> bool {
        match self {
            Self::Entry(entry) => entry.origin.is_none(),
            Self::Default => true,
            Self::Undetermined => false,
        }
    }
}

/// Answers with what is counted.
///
/// # Errors
/// A query that makes no sense, or an ACL that is not there.
pub fn answer(call: &Call<'_>) -> Result<Response<Bytes>, Problem> {
    let wish = wish(call)?;
    let files = &call.snapshot.policy.parts().files;
    let place = |entry: &Entry| {
        let file = files.get(usize::from(entry.place.file))?;
        Some(match entry.origin {
            None => format!("{file}:{}", entry.place.line),
            Some(origin) => format!("{file}: {origin}"),
        })
    };
    let mut stats = stats(&call.snapshot.hits, &wish, place);
    if wish.acl.is_some() && stats.acls.is_empty() {
        return Err(Problem::field(
            "invalid",
            "ipAccessControlList",
            "there is no IP ACL with this name or id",
        ));
    }
    stats.revision = call.snapshot.revision;
    Ok(reply::ok(&stats))
}

fn wish<'a>(call: &'a Call<'_>) -> Result<Wish<'a>, Problem> {
    let mut errors = Errors::default();
    let unused = match call.query.value("unused") {
        None | Some("false" | "0") => false,
        Some("true" | "1") => true,
        Some(_) => {
            errors.field("invalid", "unused", "expected `true` or `false`");
            false
        }
    };
    let mut number = |name: &str, default: usize, most: usize| {
        let Some(text) = call.query.value(name) else { return default };
        text.parse().ok().filter(|number| *number <= most).unwrap_or_else(|| {
            errors.field("invalid", name, format!("expected a number, from 0 to {most}"));
            default
        })
    };
    let start_row = number("startRow", 0, u32::MAX as usize);
    let number_of_results = number("numberOfResults", NUMBER_OF_RESULTS, MOST_RESULTS);
    let acl = call.query.value("ipAccessControlList");
    errors.check().map(|()| Wish { acl, unused, start_row, number_of_results })
}

fn stats(hits: &Hits, wish: &Wish<'_>, place: impl Fn(&Entry) -> Option<String>) -> Stats {
    let wanted = |acl: &AclHits<'_>| {
        wish.acl.is_none_or(|wanted| {
            **acl.acl().name() == *wanted || acl.acl().id().to_string() == wanted.to_ascii_lowercase()
        })
    };
    let all = || hits.acls().filter(wanted).flat_map(rows);
    let unused = || all().filter(|row| row.hit.count == 0 && row.what.is_written());
    let mut used: Vec<Row<'_>> =
        if wish.unused { Vec::new() } else { all().filter(|row| row.hit.count > 0).collect() };
    used.sort_by_key(|row| Reverse(row.hit.count));
    let acls: Vec<AclStats> = hits.acls().filter(wanted).map(|acl| acl_stats(&acl)).collect();
    let total = used.len() + acls.iter().map(|acl| acl.unused_entries).sum::<usize>();
    let page = used.into_iter().chain(unused()).skip(wish.start_row).take(wish.number_of_results);
    let entries = page.map(|row| entry_stats(&row, &place)).collect();
    Stats { revision: 0, since_instant: millis(hits.since()), acls, entries, total }
}

/// Everything of an ACL that can be hit, the default first as in its object.
fn rows(acl: AclHits<'_>) -> impl Iterator<Item = Row<'_>> {
    let default = Row { acl, what: What::Default, hit: acl.default_action() };
    let undetermined = Row { acl, what: What::Undetermined, hit: acl.undetermined() };
    let entries = acl.entries().map(move |(entry, hit)| Row { acl, what: What::Entry(entry), hit });
    [default, undetermined].into_iter().chain(entries)
}

fn acl_stats(acl: &AclHits<'_>) -> AclStats {
    let default = acl.default_action();
    let undetermined = acl.undetermined();
    let [mut allowed, mut blocked] = [Action::Allow, Action::Block].map(|action| acl.by_entries(action));
    let last = [allowed, blocked, default, undetermined].into_iter().filter_map(|hit| hit.last).max();
    let by_default = match acl.acl().default_action() {
        Action::Allow => &mut allowed,
        Action::Block => &mut blocked,
    };
    by_default.count += default.count;
    let written = || acl.entries().filter(|(entry, _)| entry.origin.is_none());
    let unused = written().filter(|(_, hit)| hit.count == 0).count();
    AclStats {
        id: acl.acl().id().to_string(),
        name: acl.acl().name().to_string(),
        entries: written().count() + 1,
        unused_entries: unused + usize::from(default.count == 0),
        allowed: allowed.count,
        blocked: blocked.count + undetermined.count,
        last_hit_instant: last.map(millis),
    }
}

fn entry_stats(row: &Row<'_>, place: impl Fn(&Entry) -> Option<String>) -> EntryStats {
    let acl = row.acl.acl();
    let (matched, entry, place) = match &row.what {
        What::Entry(entry) => (MatchedBy::Entry, wire::entry(entry, acl.details(entry)), place(entry)),
        What::Default => (MatchedBy::Default, wire::everybody(acl.default_action()), None),
        What::Undetermined => (MatchedBy::Undetermined, wire::everybody(Action::Block), None),
    };
    EntryStats {
        acl_id: acl.id().to_string(),
        acl_name: acl.name().to_string(),
        matched,
        entry,
        place,
        hits: row.hit.count,
        last_hit_instant: row.hit.last.map(millis),
    }
}
