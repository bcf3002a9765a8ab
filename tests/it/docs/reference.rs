//! Pages that are made from the code.

use super::root;
use aclgate::cli::Cli;
use aclgate::cli::doctor::Ailment;
use aclgate::policy::finding::Code;
use aclgate::policy::preset::{Preset, SSO_PATHS, TOKEN_PATHS};
use aclgate::telemetry::metrics::families;
use clap::CommandFactory;
use std::fmt::Write;

/// The width of help texts, whatever the terminal.
const WIDTH: usize = 100;

const MADE: &str = "<!-- Made from the code: ACLGATE_UPDATE_DOCS=1 cargo test --test it docs -->\n\n";

pub(super) fn pages() -> [(&'static str, String); 6] {
    [
        ("configuration.md", configuration()),
        ("command-line.md", command_line()),
        ("presets.md", presets()),
        ("metrics.md", metrics()),
        ("findings.md", findings()),
        ("doctor.md", doctor()),
    ]
}

/// The example file, a section a heading.
fn configuration() -> String {
    let example = std::fs::read_to_string(root().join("gateway.toml.example")).unwrap();
    let mut page = format!(
        "{MADE}# Configuration\n\nEvery key, with its default; what is commented out is optional. \
        This is `gateway.toml.example` of the repository, section by section.\n"
    );
    let mut sections = example.split("\n# -----").map(str::trim);
    let intro = sections.next().unwrap();
    writeln!(page, "\n```toml,shown\n{intro}\n```").unwrap();
    for section in sections {
        let (heading, text) = section.split_once('\n').unwrap();
        let heading = heading.trim_start_matches('-').trim();
        let mut letters = heading.chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        let (rest, text) = (letters.as_str(), text.trim());
        writeln!(page, "\n## {first}{rest}\n\n```toml,shown\n{text}\n```").unwrap();
    }
    page
}

fn command_line() -> String {
    let mut command = Cli::command().term_width(WIDTH);
    command.build();
    let mut page = format!(
        "{MADE}# Command line\n\nExit codes: 0 fine, 1 the input is at fault or a file is missing (`doctor`: a danger), \
        2 wrong usage.\n\n"
    );
    let text = |command: &mut clap::Command| command.render_long_help().to_string();
    let plain = |text: String| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    writeln!(page, "```text\n{}\n```", plain(text(&mut command)).trim_end()).unwrap();
    for command in command.get_subcommands_mut().filter(|command| command.get_name() != "help") {
        let mut command = command.clone().term_width(WIDTH);
        let help = plain(text(&mut command));
        writeln!(page, "\n## aclgate {}\n\n```text\n{}\n```", command.get_name(), help.trim_end()).unwrap();
    }
    page
}

fn presets() -> String {
    let listed = |paths: &[&str]| paths.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
    let mut page = format!(
        "{MADE}# Presets\n\n`[policy] preset` says which identity server is upstream. Sign-on pages under every preset: {}. Token \
        endpoints under every preset: {}. What a preset adds:\n\n\
        | preset | sign-on pages | token endpoints | a tenant is named by | open to loopback alone |\n| --- | --- | --- | --- | --- |\n",
        listed(SSO_PATHS),
        listed(TOKEN_PATHS)
    );
    for (word, preset) in Preset::WORDS {
        writeln!(
            page,
            "| `{word}` | {} | {} | {} | {} |",
            listed(preset.sso_paths()),
            listed(preset.token_paths()),
            listed(preset.tenant_paths()),
            listed(preset.loopback_paths())
        )
        .unwrap();
    }
    page + "\nAn entry covers everything below it. How to add to them: [Put it in front of your identity \
        server](../how-to/in-front-of-your-identity-server.md).\n"
}

/// What no table in the code says.
const LABELS: &str = "
## Values of labels

- `decision`: `allow`, `block`, `report` (an ACL in report mode would have blocked), `refuse` (before any ACL was asked: malformed,
  too large, too slow).
- `subject`: the kind of what decided, as in `aclgate explain`, or `none`.
- `found`: [how the client's address was found](../how-to/doctor.md).
- `acl`, `action`, `matched`: an ACL's name, its answer, and what of it decided: `entry`, `default`, or `undetermined` for clients
  without a known address. Behind the first 250 ACLs all others share the name `(others)`. An ACL in report mode counts like any
  other. [`aclgate stats`](../how-to/see-which-entries-are-used.md) has each entry.
- `use`: `server`, `admin`, `client_ca`, `upstream_ca`. A chain expires with its first certificate, a CA file with its last one.

What to watch: [Watch it with Prometheus](../how-to/watch-with-prometheus.md).
";

fn metrics() -> String {
    let mut page = format!(
        "{MADE}# Metrics\n\n`GET /metrics` on the management listener, no key needed. A scraper that asks for OpenMetrics 1.0.0 (`Accept`), as \
        Prometheus does, gets it; all others get Prometheus' text format 0.0.4. Counters run from the start of the process; times are seconds, \
        sizes bytes, instants seconds since 1970. The number of series is bounded by the configuration, never by what clients send.\n\n| metric | type | labels | |\n| --- | --- | --- | --- |\n"
    );
    for family in families::ALL {
        let kind = format!("{:?}", family.kind).to_lowercase();
        let suffix = match &*kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        let labels = family.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        writeln!(page, "| `{}{suffix}` | {kind} | {labels} | {} |", family.name, family.help).unwrap();
    }
    page + LABELS
}

fn findings() -> String {
    let mut page = format!(
        "{MADE}# Findings of `check`\n\nWhat `aclgate check`, a start, a reload and the management API can find \
        in a file. Errors refuse it; warnings never do.\n\n| code | | |\n| --- | --- | --- |\n"
    );
    for code in Code::ALL {
        writeln!(page, "| `{}` | {} | {} |", code.name(), code.severity().name(), code.meaning()).unwrap();
    }
    page
}

fn doctor() -> String {
    let mut page = format!(
        "{MADE}# Findings of `doctor`\n\nA *danger* makes the exit code 1. \
        How to use it: [Look for what is dangerous](../how-to/doctor.md).\n\n| code | | why | what to do |\n| --- | --- | --- | --- |\n"
    );
    for ailment in Ailment::ALL {
        let severity = ailment.severity().name();
        writeln!(page, "| `{}` | {severity} | {} | {} |", ailment.name(), ailment.why(), ailment.remedy())
            .unwrap();
    }
    page
}
