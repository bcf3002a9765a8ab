//! `aclgate impact`: recorded decisions against a candidate → who would newly be blocked, newly allowed, newly reported.
//!
//! In: lines of the JSON log, other lines among them. Out: a report for people or as JSON. Lines that cannot be decided
//! over again are counted by reason, never guessed ([`replay`](crate::explain::replay)); so are decisions that
//! have no line. The exit code is 0 whatever the impact.

mod report;

use super::{CliError, DEFAULT_CONFIG, load};
use crate::explain::replay::{Candidate, LogLine, RecordedLine, Replayed, Unreplayable};
use crate::policy::decide::Effect;
use crate::policy::moment::Moment;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
The recording is the log of a gateway that ran with

  [log]
  format = \"json\"
  decisions = \"all\"                # \"blocked\" records blocked requests alone

It may hold other lines; `-` is standard input. A line keeps no key, token or query value: ids that a request named
are kept as hashes, enough to find those again that a policy lists.

Example:
  aclgate impact -c new.toml decisions.jsonl";

/// Say whom a new policy would block or allow, from recorded decisions.
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Decides over recorded requests again, with a candidate for a new policy, and lists who would newly be \
        blocked and who newly allowed, by subject and client. What cannot be decided exactly is counted with the \
        reason, not guessed. Exits with 0 whatever the impact.",
    after_long_help = HELP
)]
pub struct Args {
    /// The candidate.
    #[arg(short, long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    config: PathBuf,
    /// The JSON log of a gateway, or `-`.
    #[arg(value_name = "DECISIONS")]
    decisions: PathBuf,
    /// Let the candidate decide as of another time than now, such as `2026-12-01T00:00:00Z`: its entries that have
    /// expired by then do not count.
    #[arg(long, value_name = "TIME")]
    at: Option<Moment>,
    /// Print an object.
    #[arg(long)]
    json: bool,
}

/// What would change for a client.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Change {
    Blocked,
    Allowed,
    Reported,
}

/// Whom it would change for, and whose ACL does it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Group {
    change: Change,
    /// Kind and name of the subject, empty where none applies.
    subject: (String, String),
    acl: Option<String>,
}

/// The requests of one client.
#[derive(Debug, Default)]
struct Requests {
    count: u64,
    last: Option<String>,
    /// Method and path of the last one.
    example: String,
}

/// Everything that was found.
#[derive(Debug, Default)]
struct Impact {
    unchanged: u64,
    changed: BTreeMap<Group, BTreeMap<Option<IpAddr>, Requests>>,
    unreplayable: BTreeMap<Unreplayable, u64>,
    missing: u64,
    other_lines: u64,
}

/// Replays a recording.
///
/// # Errors
/// The candidate cannot be loaded, the recording not read, or the report not written.
pub fn run(arguments: &Args, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let recording = &arguments.decisions;
    let loaded = load::load(&arguments.config, arguments.at)?;
    let candidate = Candidate::new(&loaded.config, &loaded.policy);
    let read = |source| CliError::Read { path: recording.to_owned(), source };
    let input: Box<dyn BufRead> = if recording == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(recording).map_err(read)?))
    };
    let impact = replay(&candidate, input).map_err(read)?;
    if impact.decisions() == 0 {
        return Err(no_decisions(recording));
    }
    if arguments.json {
        writeln!(out, "{:#}", report::to_json(&impact))?;
    } else {
        report::write(&impact, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn no_decisions(recording: &Path) -> CliError {
    CliError::Input {
        path: recording.display().to_string(),
        message: "no decision lines; record with `[log] format = \"json\"` and `decisions = \"all\"`"
            .to_owned(),
    }
}

fn replay(candidate: &Candidate<'_>, mut input: impl BufRead) -> io::Result<Impact> {
    let mut impact = Impact::default();
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        match LogLine::read(&String::from_utf8_lossy(&line)) {
            LogLine::Decision(line) => impact.add(candidate, *line),
            LogLine::Missing(missing) => impact.missing += missing,
            LogLine::After(missing, line) => {
                impact.missing += missing;
                impact.add(candidate, *line);
            }
            LogLine::Other => impact.other_lines += 1,
        }
        line.clear();
    }
    Ok(impact)
}

impl Impact {
    /// Lines that are decisions.
    fn decisions(&self) -> u64 {
        self.replayed() + self.unreplayable.values().sum::<u64>()
    }

    fn replayed(&self) -> u64 {
        self.unchanged
            + [Change::Blocked, Change::Allowed, Change::Reported]
                .map(|change| self.count(change))
                .iter()
                .sum::<u64>()
    }

    fn groups(&self, change: Change) -> impl Iterator<Item = (&Group, &BTreeMap<Option<IpAddr>, Requests>)> {
        self.changed.iter().filter(move |(group, _)| group.change == change)
    }

    fn count(&self, change: Change) -> u64 {
        self.groups(change).flat_map(|(_, clients)| clients.values()).map(|requests| requests.count).sum()
    }

    fn add(&mut self, candidate: &Candidate<'_>, line: RecordedLine) {
        match candidate.decide(&line) {
            Err(reason) => *self.unreplayable.entry(reason).or_default() += 1,
            Ok(replayed) => match Group::of(&line, &replayed) {
                None => self.unchanged += 1,
                Some(group) => {
                    let requests = self.changed.entry(group).or_default().entry(replayed.client).or_default();
                    requests.count += 1;
                    requests.example = format!("{} {}", line.method, line.path);
                    requests.last = line.timestamp.or_else(|| requests.last.take());
                }
            },
        }
    }
}

impl Group {
    /// What changes, if anything does. What is newly blocked or reported is put down to the candidate's check, what is
    /// newly allowed to the one that blocked it.
    fn of(line: &RecordedLine, replayed: &Replayed) -> Option<Self> {
        let was_reported = line.decision.as_deref() == Some("report");
        let change = match (replayed.before, replayed.after) {
            (Effect::Allow, Effect::Block) => Change::Blocked,
            (Effect::Block, Effect::Allow) => Change::Allowed,
            (Effect::Allow, Effect::Allow) if replayed.reported.is_some() && !was_reported => {
                Change::Reported
            }
            (Effect::Allow, Effect::Allow) | (Effect::Block, Effect::Block) => return None,
        };
        let check = match change {
            Change::Blocked => replayed.cause.as_ref(),
            Change::Reported => replayed.reported.as_ref(),
            Change::Allowed => None,
        };
        Some(match check {
            Some(check) => Self {
                change,
                subject: (check.kind.label().to_owned(), check.name.clone().unwrap_or_default()),
                acl: check.acl.as_ref().map(|(_, name)| name.to_string()),
            },
            None => Self {
                change,
                subject: (
                    line.subject_kind.clone().unwrap_or_default(),
                    line.subject.clone().unwrap_or_default(),
                ),
                acl: line.acl.clone(),
            },
        })
    }
}
