//! `geo` blocks: networks and values, of which the narrowest counts, as here.
//!
//! Which values block, the block does not say. With `ranges`, where nginx cuts ranges out of earlier ones, only ranges that
//! do not overlap with other effects are carried over.

use super::tokens::{Statement, Word};
use crate::import::{Acl, Source, address};
use crate::policy::acl::Action;
use crate::policy::finding::{Code, Report, Span};
use crate::policy::range::AddressRange;

/// What stands in front of an address in a block, and is none.
const SETTINGS: [&str; 3] = ["proxy", "proxy_recursive", "volatile"];

/// The list that a block is.
pub(super) fn read(
    statement: &Statement,
    block: &[Statement],
    source: &Source<'_>,
    report: &mut Report<'_>,
) -> Option<Acl> {
    let name = match statement.arguments() {
        [name] => name,
        [address, name] if matches!(address.text.as_str(), "$remote_addr" | "$realip_remote_addr") => name,
        _ => {
            refuse(statement.span(), "this `geo` is not about the client's address", report);
            return None;
        }
    };
    let mut geo = Geo { ranges: false, default: String::new(), networks: Vec::new() };
    let read: Vec<Option<()>> = block.iter().map(|line| geo.line(line, report)).collect();
    read.into_iter().collect::<Option<()>>()?;
    geo.check_overlaps(source, report)?;
    let variable = name.text.trim_start_matches('$');
    Some(geo.acl(name, source, report)?.from(format!("nginx, geo {}", name.text))).map(|mut acl| {
        acl.name = format!("geo {variable}");
        acl
    })
}

struct Geo {
    ranges: bool,
    default: String,
    /// In order, each network once.
    networks: Vec<(AddressRange, String, Span)>,
}

impl Geo {
    fn line(&mut self, line: &Statement, report: &mut Report<'_>) -> Option<()> {
        match (line.name(), line.arguments()) {
            ("ranges", []) => self.ranges = true,
            ("default", [value]) => self.default.clone_from(&value.text),
            ("delete", [network]) if !self.ranges => {
                let network = address::range(&network.text, network.span, report)?;
                self.networks.retain(|(known, ..)| *known != network);
            }
            ("include" | "delete", _) => {
                refuse(line.span(), &format!("`{}` cannot be followed here", line.name()), report);
                return None;
            }
            (setting, _) if SETTINGS.contains(&setting) => {
                let what = format!("`{setting}` is not carried over");
                report
                    .add(Code::LeftAside, line.span(), what)
                    .label("not the list's business here")
                    .hint("`[client_ip]` says how the client's address is found");
            }
            (_, [value]) => {
                let network = line.words.first()?;
                let range = address::range(&network.text, network.span, report)?;
                self.networks.retain(|(known, ..)| *known != range);
                self.networks.push((range, value.text.clone(), network.span));
            }
            _ => {
                refuse(line.span(), "a line of `geo` has a network and a value", report);
                return None;
            }
        }
        Some(())
    }

    fn action(value: &str, source: &Source<'_>) -> Action {
        if source.options.block_values.iter().any(|known| known == value) {
            Action::Block
        } else {
            Action::Allow
        }
    }

    fn check_overlaps(&self, source: &Source<'_>, report: &mut Report<'_>) -> Option<()> {
        let mut sorted: Vec<_> = self.networks.iter().filter(|_| self.ranges).collect();
        sorted.sort_by_key(|(range, ..)| *range);
        let mut last: Option<&(AddressRange, String, Span)> = None;
        for found in sorted {
            if let Some((before, value, _)) = last
                && before.end() >= found.0.start()
                && Self::action(value, source) != Self::action(&found.1, source)
            {
                refuse(found.2, &format!("`{}` overlaps with `{before}`", found.0), report);
                return None;
            }
            last = last.filter(|last| last.0.end() > found.0.end()).or(Some(found));
        }
        Some(())
    }

    fn acl(&self, name: &Word, source: &Source<'_>, report: &mut Report<'_>) -> Option<Acl> {
        if source.options.block_values.is_empty() {
            let mut values: Vec<&str> = self.networks.iter().map(|(_, value, _)| value.as_str()).collect();
            values.push(&self.default);
            values.sort_unstable();
            values.dedup();
            report
                .add(
                    Code::LeftOut,
                    name.span,
                    format!("`{}` does not say whom it blocks", name.text.escape_debug()),
                )
                .label(format!("it is one of: {}", values.join(", ").escape_debug()))
                .hint("`--block-value VALUE` says which of them blocks, as often as needed");
            return None;
        }
        let networks = self.networks.iter().map(|(range, value, _)| (*range, Self::action(value, source)));
        Some(Acl::new("", Self::action(&self.default, source), networks.collect()))
    }
}

fn refuse(span: Span, what: &str, report: &mut Report<'_>) {
    report.add(Code::LeftOut, span, what).label("the list is left out");
}
