//! `aclgate doctor`: a configuration and the gateway that runs on it → what is dangerous about them, why, and what to do.
//!
//! In: the file, the management listener's `/readyz` and `/metrics`, perhaps recorded decisions, and what answers on the
//! network from here. Out: findings, the worst first; exit code 1 if one is a danger. What cannot be looked at is said.
//! Nothing is changed anywhere, and no key is needed.

mod decisions;
mod finding;
mod network;
mod running;
mod settings;

pub use finding::{Ailment, Finding, Severity};

use super::style::{BLOCK, ERROR, FAINT, STRONG};
use super::{CliError, DEFAULT_CONFIG, load, management};
use crate::config::Admin;
use crate::store::Candidate;
use http::Uri;
use http::uri::Scheme;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

/// Say what is dangerous about a running gateway and its configuration.
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Looks at a configuration, at the gateway that runs on it (/readyz and /metrics of its management \
        listener, no key needed), at recorded decisions if a log is given, and tries from here whether the identity \
        server can be reached beside the gateway. Says what is dangerous, why, and what to do. Exits with 1 if \
        something is a danger; warnings and notes are fine.",
    after_long_help = "Examples:\n  \
        aclgate doctor -c gateway.toml\n  \
        aclgate doctor -c gateway.toml --admin 127.0.0.1:9091 --decisions decisions.jsonl --json\n  \
        aclgate doctor -c gateway.toml --admin https://gateway.example:9091 --ca admin-ca.crt"
)]
pub struct Args {
    /// The file that the gateway runs on.
    #[arg(short, long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    config: PathBuf,
    /// The management listener, `host:port` or a URL; the file's own if absent.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "offline")]
    admin: Option<Uri>,
    /// The CA of a management listener with TLS, as PEM; the system's roots if absent.
    #[arg(long, value_name = "FILE", conflicts_with = "offline")]
    ca: Option<PathBuf>,
    /// The JSON log of the gateway.
    #[arg(long, value_name = "FILE")]
    decisions: Option<PathBuf>,
    /// Look at files alone: ask no gateway, try no address.
    #[arg(long)]
    offline: bool,
    /// Print an object.
    #[arg(long)]
    json: bool,
}

/// What was looked at, in words.
type LookedAt = Vec<String>;

/// Looks at everything that there is.
///
/// # Errors
/// The file or the log cannot be read, or the report not written. A danger is no error, but exit code 1.
pub fn run(arguments: &Args, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let candidate = load::load(&arguments.config, None)?;
    let (mut findings, looked_at) = examine(arguments, &candidate)?;
    findings.sort_by_key(|finding| finding.ailment.severity());
    if arguments.json {
        let found: Vec<_> = findings.iter().map(Finding::to_json).collect();
        writeln!(out, "{:#}", serde_json::json!({ "lookedAt": looked_at, "findings": found }))?;
    } else {
        write_report(&findings, &looked_at, out)?;
    }
    let danger = findings.iter().any(|finding| finding.ailment.severity() == Severity::Danger);
    Ok(if danger { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn examine(arguments: &Args, candidate: &Candidate) -> Result<(Vec<Finding>, LookedAt), CliError> {
    let mut found = Vec::new();
    let mut looked_at = vec![arguments.config.display().to_string()];
    settings::look(candidate, SystemTime::now(), &mut found);
    if !arguments.offline {
        network::look(&candidate.config.upstream.urls, &mut found);
        looked_at.push("the upstream's addresses, from here".to_owned());
        looked_at.extend(look_at_gateway(arguments, candidate, &mut found)?);
    }
    if let Some(log) = &arguments.decisions {
        let decisions = decisions::look(log, &candidate.config.client_ip, &mut found)?;
        looked_at.push(format!("{} ({decisions} decisions)", log.display()));
    }
    Ok((found, looked_at))
}

fn look_at_gateway(
    arguments: &Args,
    candidate: &Candidate,
    found: &mut Vec<Finding>,
) -> Result<Option<String>, CliError> {
    let admin = candidate.config.admin.as_ref();
    let origin = match &arguments.admin {
        Some(address) => Some(origin(address, admin)?),
        None => admin.and_then(management::origin),
    };
    let Some(origin) = origin else {
        let seen = "the file has no `[admin]`, and no `--admin` is given";
        found.push(Finding::new(Ailment::NotReached, seen));
        return Ok(None);
    };
    let requests = running::look(&origin, arguments.ca.as_deref(), candidate, found);
    Ok(Some(format!("the gateway at {origin} ({requests} requests)")))
}

/// What `--admin` names. Where it leaves the scheme out, that of the file's own listener is meant.
fn origin(address: &Uri, admin: Option<&Admin>) -> Result<Uri, CliError> {
    let tls = admin.is_some_and(|admin| admin.tls.is_some());
    let scheme = address.scheme().cloned().unwrap_or(if tls { Scheme::HTTPS } else { Scheme::HTTP });
    let known = [Scheme::HTTP, Scheme::HTTPS].contains(&scheme);
    let authority = address.authority().filter(|_| known);
    let authority =
        authority.ok_or(CliError::Argument("--admin is `host:port`, or a URL of http or https"))?;
    let origin = Uri::builder().scheme(scheme).authority(authority.clone()).path_and_query("/").build();
    Ok(origin.map_err(io::Error::other)?)
}

fn write_report(findings: &[Finding], looked_at: &[String], out: &mut dyn Write) -> io::Result<()> {
    for looked_at in looked_at {
        writeln!(out, "{FAINT}looked at {looked_at}{FAINT:#}")?;
    }
    for Finding { ailment, seen } in findings {
        let style = match ailment.severity() {
            Severity::Danger => ERROR,
            Severity::Warning => BLOCK,
            Severity::Note => FAINT,
        };
        writeln!(
            out,
            "\n{style}{}{style:#}[{}]: {STRONG}{seen}{STRONG:#}",
            ailment.severity().name(),
            ailment.name()
        )?;
        writeln!(out, "  why   {}", ailment.why())?;
        writeln!(out, "  do    {}", ailment.remedy())?;
    }
    let count = |severity| findings.iter().filter(|finding| finding.ailment.severity() == severity).count();
    let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let counts = [Severity::Danger, Severity::Warning, Severity::Note];
    let counts = counts.map(|severity| plural(count(severity), severity.name())).join(", ");
    writeln!(out, "\n{counts}")
}
