//! IP ACLs from what other products have: nginx `allow`/`deny` and `geo`, HAProxy ACL files, Traefik and Caddy lists,
//! exports of FusionAuth and Auth0.
//!
//! A text in, [`Imported`] out: ACLs, and findings for all that could not be carried over. An ACL decides over every
//! address exactly as its source does; where that cannot be said, **the whole list is left out**, because a list without one
//! of its lines may open a door. Property tests hold each source to a naive twin of its own semantics.
//!
//! Where the order decides in the source (nginx `allow`/`deny`, Auth0 priorities), [`effect`] sees whether the narrowest range says
//! the same; where it does not, the ranges are worked out anew.
//!
//! What is common to all sources: an address with host bits stands for its network, as all of them read it; an
//! IPv4-mapped IPv6 address is refused, as they differ about it.
//!
//! Deliberately absent: how a source finds the client's address (`set_real_ip_from`, `ipStrategy`): that is `[client_ip]`.

mod address;
mod auth0;
mod caddy;
mod effect;
mod fusionauth;
mod haproxy;
mod nginx;
mod traefik;
mod tree;
mod written;

use crate::policy::acl::Action;
use crate::policy::finding::{Code, Findings, Report, Span};
use crate::policy::range::AddressRange;
use uuid::Uuid;

/// Where a list comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Format {
    /// `allow` and `deny`, and `geo` blocks
    Nginx,
    /// A file of `acl … src -f FILE`
    Haproxy,
    /// `ipAllowList` and `ipWhiteList`, YAML or TOML
    Traefik,
    /// `remote_ip` and `client_ip` matchers, Caddyfile or JSON
    Caddy,
    /// IP ACLs of the API, JSON
    Fusionauth,
    /// Network ACLs and allowlists of the Management API, JSON
    Auth0,
}

/// What the text does not say.
#[derive(Clone, Default, Debug)]
pub struct Options {
    /// Name of the ACL; of several, each after the first gets a number behind it.
    pub name: Option<String>,
    /// What happens to the addresses of a list that is only a list; all others get the opposite.
    pub listed: Option<Action>,
    /// Which values of an nginx `geo` variable block; every other allows.
    pub block_values: Vec<String>,
}

/// An imported ACL.
#[derive(Clone, PartialEq, Debug)]
pub struct Acl {
    name: String,
    id: Option<Uuid>,
    default: Action,
    entries: Vec<(AddressRange, Action)>,
    /// Milliseconds since 1970: made, changed.
    instants: [Option<i64>; 2],
    /// A JSON text.
    data: Option<String>,
    /// Where it comes from, for a comment.
    origin: String,
    /// Whether its ranges are not those of its author.
    worked_out: bool,
}

impl Acl {
    fn new(name: impl Into<String>, default: Action, entries: Vec<(AddressRange, Action)>) -> Self {
        let (name, origin) = (name.into(), String::new());
        Self { name, id: None, default, entries, instants: [None; 2], data: None, origin, worked_out: false }
    }

    /// A list without order: what is in it, and the opposite for all others.
    fn listed(
        name: impl Into<String>,
        listed: Action,
        ranges: impl IntoIterator<Item = AddressRange>,
    ) -> Self {
        let entries = ranges.into_iter().map(|range| (range, listed)).collect();
        Self::new(name, opposite(listed), entries)
    }

    fn from(mut self, origin: impl Into<String>) -> Self {
        self.origin = origin.into();
        self
    }
}

/// What came of a text.
#[derive(Clone, Debug)]
pub struct Imported {
    /// ACLs, their names all different.
    pub acls: Vec<Acl>,
    /// What could not be carried over, by place.
    pub findings: Findings,
}

impl Imported {
    /// `[[ip_acl]]` tables, for a configuration or a file of their own.
    pub fn to_toml(&self) -> String {
        self.acls.iter().map(written::table).collect::<Vec<_>>().join("\n")
    }
}

/// The text that is read, and what is said beside it.
struct Source<'a> {
    text: &'a str,
    /// The file's name without folder and extension.
    stem: &'a str,
    options: &'a Options,
}

/// Reads a text. `name` is the file's, for findings.
pub fn read(format: Format, text: &str, name: &str, options: &Options) -> Imported {
    let mut report = Report::new(name, text);
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let source = Source { text, stem: if stem.is_empty() { "imported" } else { stem }, options };
    let mut acls = match format {
        Format::Nginx => nginx::read(&source, &mut report),
        Format::Haproxy => haproxy::read(&source, &mut report),
        Format::Traefik => traefik::read(&source, &mut report),
        Format::Caddy => caddy::read(&source, &mut report),
        Format::Fusionauth => fusionauth::read(&source, &mut report),
        Format::Auth0 => auth0::read(&source, &mut report),
    };
    if acls.is_empty() && !report.has_errors() {
        report
            .add(Code::LeftOut, Span::default(), "there is no list of addresses in it")
            .label("nothing was found to import")
            .hint("`--from` says which product it is from");
    }
    name_apart(&mut acls, options.name.as_deref());
    Imported { acls, findings: report.finish() }
}

/// Gives the wanted name, and numbers to all that share one.
fn name_apart(acls: &mut [Acl], wanted: Option<&str>) {
    let mut taken: Vec<String> = Vec::with_capacity(acls.len());
    for acl in acls {
        let base = wanted.unwrap_or(&acl.name).to_owned();
        let numbered = (2_usize..).map(|number| format!("{base} {number}"));
        let name = std::iter::once(base.clone()).chain(numbered).find(|name| !taken.contains(name));
        acl.name = name.unwrap_or(base);
        taken.push(acl.name.clone());
    }
}

fn opposite(action: Action) -> Action {
    match action {
        Action::Allow => Action::Block,
        Action::Block => Action::Allow,
    }
}

/// What a bare list does with its addresses, or a finding.
fn listed(source: &Source<'_>, span: Span, what: &str, report: &mut Report<'_>) -> Option<Action> {
    if source.options.listed.is_none() {
        report
            .add(Code::LeftOut, span, format!("{what} does not say what becomes of its addresses"))
            .label("left out")
            .hint("`--listed allow` or `--listed block` says it");
    }
    source.options.listed
}

#[cfg(test)]
mod tests;
