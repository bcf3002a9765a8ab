//! Amazon's `ip-ranges.json`: the prefixes of all services and regions, or of those that are selected.
//!
//! The document has two lists, `prefixes` (IPv4) and `ipv6_prefixes`, of objects with a prefix, a `service` and a
//! `region`; whatever else it holds does not matter. A list that is missing is an error, since half a feed must not be
//! taken for the whole. So is a selected name that no object has: it is a slip, or Amazon gave it another name.
//!
//! Amazon lists the prefixes of each service once more under the service `AMAZON`.
//!
//! Source: <https://docs.aws.amazon.com/vpc/latest/userguide/aws-ip-syntax.html>

use super::{BadLine, BadLines, Lines, ListError, Selection, Sink, Unknown};
use crate::policy::acl::Place;
use crate::policy::range::AddressRange;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

#[derive(Deserialize)]
#[serde(expecting = "an object with `prefixes` and `ipv6_prefixes`")]
struct Feed<'a> {
    #[serde(borrow)]
    prefixes: Vec<&'a RawValue>,
    #[serde(borrow)]
    ipv6_prefixes: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with a prefix, a service and a region")]
struct Prefix<'a> {
    #[serde(borrow, alias = "ipv6_prefix")]
    ip_prefix: Cow<'a, str>,
    #[serde(borrow)]
    service: Cow<'a, str>,
    #[serde(borrow)]
    region: Cow<'a, str>,
}

/// Reads a feed.
pub(super) fn read(bytes: &[u8], selection: &Selection, sink: Sink<'_>) -> BadLines {
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            let line = Lines::of(bytes).of_offset(at);
            return BadLines::of(line, at..at + 1, ListError::Json("it is no UTF-8".into()));
        }
    };
    let feed: Feed<'_> = match serde_json::from_str(text) {
        Ok(feed) => feed,
        Err(error) => return broken(text, &error),
    };
    let mut reading =
        Reading { text, lines: Lines::of(text.as_bytes()), selection, sink, names: Names::default() };
    let mut bad = BadLines::default();
    for raw in feed.prefixes.into_iter().chain(feed.ipv6_prefixes) {
        if let Err(line) = reading.prefix(raw) {
            bad.add(line);
        }
    }
    let Names { services, regions } = reading.names;
    if bad.shown.is_empty() {
        bad.services = unknown(&selection.services, &services);
        bad.regions = unknown(&selection.regions, &regions);
    }
    bad
}

/// The names that a feed has.
#[derive(Default)]
struct Names<'a> {
    services: BTreeSet<Cow<'a, str>>,
    regions: BTreeSet<Cow<'a, str>>,
}

struct Reading<'a, 'b> {
    text: &'a str,
    lines: Lines<'a>,
    selection: &'b Selection,
    sink: Sink<'b>,
    names: Names<'a>,
}

impl<'a> Reading<'a, '_> {
    fn prefix(&mut self, raw: &'a RawValue) -> Result<(), BadLine> {
        let span = place_in(self.text, raw.get());
        let bad = |line, span, error| BadLine { line, span, error };
        let prefix: Prefix<'_> = serde_json::from_str(raw.get()).map_err(|error| {
            bad(self.lines.of_offset(span.start), span.clone(), ListError::Json(without_place(&error)))
        })?;
        let value = raw
            .get()
            .find(&*prefix.ip_prefix)
            .map_or_else(|| span.clone(), |at| span.start + at..span.start + at + prefix.ip_prefix.len());
        let line = self.lines.of_offset(value.start);
        let range =
            prefix.ip_prefix.parse::<AddressRange>().map_err(|error| bad(line, value, error.into()))?;
        let among = |names: &[String], name: &str| names.is_empty() || names.iter().any(|one| *one == *name);
        if among(&self.selection.services, &prefix.service) && among(&self.selection.regions, &prefix.region)
        {
            self.sink.builder.push(range, self.sink.action, Place { file: self.sink.file, line });
        }
        self.names.services.insert(prefix.service);
        self.names.regions.insert(prefix.region);
        Ok(())
    }
}

fn unknown(selected: &[String], there: &BTreeSet<Cow<'_, str>>) -> Unknown {
    let asked: Vec<usize> =
        selected.iter().enumerate().filter(|(_, name)| !there.contains(&***name)).map(|(at, _)| at).collect();
    let there =
        if asked.is_empty() { Vec::new() } else { there.iter().map(|name| name.to_string()).collect() };
    Unknown { asked, there }
}

/// Where a part of a text stands in it.
fn place_in(text: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    start..start + part.len()
}

fn broken(text: &str, error: &serde_json::Error) -> BadLines {
    let line = u32::try_from(error.line()).unwrap_or(u32::MAX).max(1);
    let start = match error.line().checked_sub(2) {
        Some(breaks) => memchr::memchr_iter(b'\n', text.as_bytes()).nth(breaks).map_or(0, |at| at + 1),
        None => 0,
    };
    // What is missing at the end stands nowhere.
    let at = (start + error.column().saturating_sub(1)).min(text.len());
    BadLines::of(line, at..text.len().min(at + 1), ListError::Json(without_place(error)))
}

/// The message alone: the place is ours to say.
fn without_place(error: &serde_json::Error) -> Box<str> {
    let message = error.to_string();
    message.split(" at line ").next().unwrap_or(&message).into()
}

#[cfg(test)]
mod tests {
    use super::super::{ListFormat, read_list};
    use super::*;
    use crate::policy::acl::{Action, IpAclBuilder};

    const FEED: &str = r#"{
  "syncToken": "1",
  "prefixes": [
    { "ip_prefix": "3.5.140.0/22", "region": "ap-northeast-2", "service": "AMAZON", "network_border_group": "x" },
    { "ip_prefix": "13.32.0.0/15", "region": "GLOBAL", "service": "CLOUDFRONT" },
    {
      "service": "S3",
      "region": "eu-central-1",
      "ip_prefix": "3.5.140.0/22"
    }
  ],
  "ipv6_prefixes": [
    { "ipv6_prefix": "2600:9000::/28", "region": "GLOBAL", "service": "CLOUDFRONT" }
  ]
}"#;

    fn selection(services: &[&str], regions: &[&str]) -> Selection {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Selection { services: owned(services), regions: owned(regions) }
    }

    fn read(text: &str, selection: &Selection) -> (Vec<(String, u32)>, BadLines) {
        let mut builder = IpAclBuilder::new(uuid::Uuid::nil(), "a", Action::Block);
        let sink = Sink { builder: &mut builder, action: Action::Allow, file: 1 };
        let bad = read_list(text.as_bytes(), &ListFormat::Aws(selection.clone()), sink);
        let acl = builder.build();
        (acl.entries().map(|entry| (entry.range.to_string(), entry.place.line)).collect(), bad)
    }

    #[test]
    fn prefixes_are_selected_and_have_their_lines() {
        let cases = [
            (
                selection(&[], &[]),
                vec![("3.5.140.0/22", 4), ("3.5.140.0/22", 9), ("13.32.0.0/15", 5), ("2600:9000::/28", 13)],
            ),
            (selection(&["CLOUDFRONT"], &[]), vec![("13.32.0.0/15", 5), ("2600:9000::/28", 13)]),
            (selection(&["S3", "AMAZON"], &["eu-central-1"]), vec![("3.5.140.0/22", 9)]),
            (selection(&["CLOUDFRONT"], &["eu-central-1"]), vec![]),
        ];
        for (selection, mut expected) in cases {
            let (mut found, bad) = read(FEED, &selection);
            assert!(bad.is_empty(), "{bad:?}");
            found.sort();
            expected.sort_unstable();
            let found: Vec<_> = found.iter().map(|(range, line)| (&**range, *line)).collect();
            assert_eq!(found, expected, "{selection:?}");
        }
        assert_eq!(
            read(&FEED.replace('\n', " "), &selection(&["S3"], &[])).0,
            [("3.5.140.0/22".to_owned(), 1)]
        );
        assert!(read(&format!("\u{feff}{FEED}"), &selection(&[], &[])).1.is_empty());
    }

    #[test]
    fn names_that_no_prefix_has_are_told() {
        let (_, bad) = read(FEED, &selection(&["S3", "CLOUDFRUNT"], &["eu-central-1", "EU-CENTRAL-1"]));
        assert_eq!((bad.services.asked, bad.regions.asked), (vec![1], vec![1]));
        assert_eq!(bad.services.there, ["AMAZON", "CLOUDFRONT", "S3"]);
    }

    #[test]
    fn what_is_wrong_is_refused_at_its_place() {
        let cases = [
            (FEED.replace("13.32.0.0/15", "13.33.0.0/15"), 5, "has host bits set"),
            (FEED.replace("\"GLOBAL\", \"service\": \"CLOUDFRONT\" }\n  ]", "7 }\n  ]"), 13, "invalid type"),
            (FEED.replace("\"service\": \"S3\",", ""), 6, "missing field `service`"),
            (
                FEED.replace("\"service\": \"S3\",", "\"service\": \"S3\", \"service\": \"S3\","),
                6,
                "duplicate field",
            ),
            (FEED.replace("ipv6_prefixes", "ipv7_prefixes"), 15, "missing field `ipv6_prefixes`"),
            (FEED.replace("  ],\n", "  ]\n"), 12, "expected `,` or `}`"),
            (FEED.replace("\"ip_prefix\": \"13.32.0.0/15\"", "\"ip_prefix\": 7"), 5, "invalid type"),
            ("192.0.2.1\n".to_owned(), 1, "invalid"),
            (String::new(), 1, "EOF"),
        ];
        for (text, line, message) in cases {
            let (_, bad) = read(&text, &selection(&[], &[]));
            let found: Vec<_> = bad.shown.iter().map(|bad| (bad.line, bad.error.to_string())).collect();
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].0 == line && found[0].1.contains(message), "{line} {message}: {found:?}");
        }
    }
}
