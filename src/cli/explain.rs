//! `aclgate explain`: what would become of a request, and why; for people, or as the JSON of `POST /api/explain`.

use super::style::{ALLOW, BLOCK, FAINT, STRONG};
use super::{CliError, DEFAULT_CONFIG, load};
use crate::explain::{Client, Explanation, Outcome, Question, explain, to_json};
use crate::policy::acl::Action;
use crate::policy::decide::Effect;
use crate::policy::moment::Moment;
use crate::policy::subject::Mode;
use crate::store::Candidate;
use crate::telemetry::CheckReport;
use std::fmt;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

const FORM: &str = "application/x-www-form-urlencoded";

/// Say what would become of a request, and why.
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Says what would become of a request, and why: the client, every subject that is tested, the ACL and \
        the entry that decides, and the status of the answer. Nothing is sent anywhere. Exits with 0 whatever \
        the decision is.",
    after_long_help = "Examples:\n  \
        aclgate explain --ip 203.0.113.9 --client-id 85a03867-dccf-4882-adde-1a79aeec50df\n  \
        aclgate explain --ip 203.0.113.9 --audience https://acme.example/api/v2/\n  \
        aclgate explain --ip 203.0.113.9 --path /api/user --api-key KEY --json\n  \
        aclgate explain --ip 203.0.113.9 --at 2026-12-01T00:00:00Z\n  \
        aclgate explain --peer 127.0.0.1 --header 'X-Forwarded-For: unknown' --path /oauth2/authorize"
)]
pub struct Args {
    /// The file that holds the policy.
    #[arg(short, long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    config: PathBuf,
    /// The client's address, or `unknown` for one that cannot be determined.
    #[arg(long, value_name = "ADDRESS", required_unless_present = "peer")]
    ip: Option<String>,
    /// The other end of the connection, instead of --ip: the client is whom its forwarding header names.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "ip")]
    peer: Option<IpAddr>,
    /// The method; POST where there is a body or an audience.
    #[arg(short = 'X', long)]
    method: Option<String>,
    /// The request target, query included.
    #[arg(short, long)]
    path: Option<String>,
    /// A header field, `Name: value`; may be repeated.
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// The body; urlencoded unless a header says otherwise.
    #[arg(short = 'd', long)]
    body: Option<String>,
    /// An application: adds `client_id`, to /oauth2/authorize unless --path is given.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// A tenant: adds `tenantId`, to /oauth2/authorize unless --path is given.
    #[arg(long, value_name = "ID")]
    tenant_id: Option<String>,
    /// An API key, sent as `Authorization`.
    #[arg(long, value_name = "KEY")]
    api_key: Option<KeyArgument>,
    /// A resource server: a client-credentials request to /oauth2/token unless --path is given.
    #[arg(long, value_name = "IDENTIFIER", conflicts_with = "body")]
    audience: Option<String>,
    /// Decide as of another time than now, such as `2026-12-01T00:00:00Z`: entries that have expired by then do not
    /// count.
    #[arg(long, value_name = "TIME")]
    at: Option<Moment>,
    /// Print the object of `POST /api/explain`.
    #[arg(long)]
    json: bool,
}

/// An API key as an argument: kept out of `Debug`.
#[derive(Clone)]
struct KeyArgument(String);

impl fmt::Debug for KeyArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyArgument(..)")
    }
}

impl From<String> for KeyArgument {
    fn from(key: String) -> Self {
        Self(key)
    }
}

/// Explains a request.
///
/// # Errors
/// Arguments that make no request, a file that cannot be loaded, a report that cannot be written.
pub fn run(arguments: &Args, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let question = question(arguments)?;
    let candidate = load::load(&arguments.config, arguments.at)?;
    let explanation = explain(&candidate.config, &candidate.policy, &question);
    if arguments.json {
        writeln!(out, "{:#}", to_json(&explanation))?;
    } else {
        write_report(&candidate, &question, &explanation, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn question(arguments: &Args) -> Result<Question, CliError> {
    let client = match (&arguments.ip, arguments.peer) {
        (_, Some(peer)) => Client::Behind(peer),
        (Some(ip), None) => Client::parse(ip)?,
        (None, None) => return Err(CliError::Argument("either --ip or --peer is needed")),
    };
    let body = body(arguments);
    let by_body = if body.is_some() { "POST" } else { "GET" };
    let method = arguments.method.as_deref().unwrap_or(by_body);
    let mut question = Question::new(client).with_method(method)?.with_target(&target(arguments))?;
    for line in &arguments.headers {
        let Some((name, value)) = line.split_once(':') else {
            return Err(CliError::Argument(
                "--header needs a name, a colon and a value, like `X-Real-IP: 192.0.2.1`",
            ));
        };
        question = question.with_header(name, value)?;
    }
    if let Some(KeyArgument(key)) = &arguments.api_key {
        question = question.with_header("Authorization", key)?;
    }
    if let Some(body) = body {
        if !question.headers.contains_key("content-type") {
            question = question.with_header("Content-Type", FORM)?;
        }
        question = question.with_body(body);
    }
    Ok(question)
}

/// The target: as given, or the page that the other arguments belong to; ids go into the query, or with an
/// audience into the body.
fn target(arguments: &Args) -> String {
    let Args { path, client_id, tenant_id, audience, .. } = arguments;
    let names_subject = client_id.is_some() || tenant_id.is_some();
    let mut target = match path {
        Some(path) => path.clone(),
        None if audience.is_some() => "/oauth2/token".to_owned(),
        None if names_subject => "/oauth2/authorize".to_owned(),
        None => "/".to_owned(),
    };
    if audience.is_none() {
        for (name, value) in [("client_id", client_id), ("tenantId", tenant_id)] {
            if let Some(value) = value {
                target.push(if target.contains('?') { '&' } else { '?' });
                target.push_str(&format!("{name}={}", encode(value)));
            }
        }
    }
    target
}

fn body(arguments: &Args) -> Option<String> {
    let Some(audience) = &arguments.audience else { return arguments.body.clone() };
    let mut form = format!("grant_type=client_credentials&audience={}", encode(audience));
    for (name, value) in [("client_id", &arguments.client_id), ("tenantId", &arguments.tenant_id)] {
        if let Some(value) = value {
            form.push_str(&format!("&{name}={}", encode(value)));
        }
    }
    Some(form)
}

/// Percent-encodes all but unreserved characters (RFC 3986 §2.3).
fn encode(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    value.bytes().map(encode).collect()
}

fn write_report(
    candidate: &Candidate,
    question: &Question,
    explanation: &Explanation,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "request   {} {}", question.method, question.target)?;
    match explanation.client {
        Some(client) => writeln!(out, "client    {client}")?,
        None => writeln!(out, "client    undetermined: blocked by every ACL that applies")?,
    }
    let policy = candidate.config_path.display();
    writeln!(out, "policy    {policy} {FAINT}(sha256 {:.12}){FAINT:#}", candidate.digest)?;
    match explanation.effect() {
        Effect::Allow => writeln!(out, "decision  {ALLOW}allow{ALLOW:#}, {}", reason(explanation))?,
        Effect::Block => writeln!(out, "decision  {BLOCK}block{BLOCK:#}, {}", reason(explanation))?,
    }
    writeln!(out, "answer    {}", answer(explanation))?;
    if explanation.checks.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{STRONG}checks, in order{STRONG:#}")?;
    for (index, check) in explanation.checks.iter().enumerate() {
        write_check(index + 1, check, out)?;
    }
    Ok(())
}

fn write_check(number: usize, check: &CheckReport, out: &mut dyn Write) -> io::Result<()> {
    let (style, action) = match check.action {
        Action::Allow => (ALLOW, "allow"),
        Action::Block => (BLOCK, "block"),
    };
    write!(out, "{number:>3}. {style}{action}{style:#}  {}", check.subject())?;
    if let Some((_, name)) = &check.acl {
        write!(out, ", ACL `{name}`, entry {}", check.entry)?;
    }
    let note = if check.mode == Mode::Report { "  (mode report: not enforced)" } else { "" };
    writeln!(out, "{note}")
}

/// Why a request was decided as it was, on one line.
pub(super) fn reason(explanation: &Explanation) -> String {
    let by = |check: &CheckReport| match &check.acl {
        Some((_, name)) => format!("{}, ACL `{name}`, entry {}", check.subject(), check.entry),
        None => format!("{}: open to loopback clients alone", check.subject()),
    };
    match &explanation.outcome {
        Outcome::Refused(error) => format!("refused before any ACL: {error}"),
        Outcome::Blocked { cause, .. } => by(cause),
        Outcome::Allowed { reported: Some(check), .. } => format!("only reported: {}", by(check)),
        Outcome::Allowed { cause: Some(check), .. } => by(check),
        Outcome::Allowed { cause: None, .. } => "no ACL applies".to_owned(),
    }
}

fn answer(explanation: &Explanation) -> String {
    match (&explanation.outcome, explanation.status()) {
        (Outcome::Allowed { .. }, _) => "the upstream's".to_owned(),
        (_, Some(status)) => status.to_string(),
        (_, None) => "the upstream's answer to an invalid key (decoy)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Args,
    }

    fn asked(line: &[&str]) -> Question {
        let line = ["explain", "--ip", "192.0.2.1"].iter().chain(line);
        question(&Line::parse_from(line).arguments).unwrap()
    }

    #[test]
    fn arguments_make_a_request() {
        let cases: [(&[&str], &str, &str, &str); 8] = [
            (&[], "GET", "/", ""),
            (&["--path", "/a?b=c"], "GET", "/a?b=c", ""),
            (&["--client-id", "a b"], "GET", "/oauth2/authorize?client_id=a%20b", ""),
            (
                &["--client-id", "a", "--tenant-id", "b"],
                "GET",
                "/oauth2/authorize?client_id=a&tenantId=b",
                "",
            ),
            (&["--client-id", "a", "--path", "/x?y=z"], "GET", "/x?y=z&client_id=a", ""),
            (&["--body", "a=b"], "POST", "/", "a=b"),
            (&["-X", "PUT", "--body", "a=b"], "PUT", "/", "a=b"),
            (
                &["--audience", "https://a/", "--client-id", "c"],
                "POST",
                "/oauth2/token",
                "grant_type=client_credentials&audience=https%3A%2F%2Fa%2F&client_id=c",
            ),
        ];
        for (line, method, target, body) in cases {
            let question = asked(line);
            assert_eq!(question.method.as_str(), method, "{line:?}");
            assert_eq!(question.target.to_string(), target, "{line:?}");
            assert_eq!(question.body, body, "{line:?}");
            assert_eq!(question.headers.contains_key("content-type"), !body.is_empty(), "{line:?}");
        }
    }

    #[test]
    fn headers_and_keys_are_sent() {
        let question = asked(&["-H", "X-A: b:c", "-H", "x-a: d", "--api-key", "k"]);
        let values: Vec<_> = question.headers.get_all("x-a").iter().collect();
        assert_eq!(values, ["b:c", "d"]);
        assert_eq!(question.headers["authorization"], "k");
    }

    #[test]
    fn a_given_content_type_stays() {
        let question = asked(&["--body", "{}", "-H", "Content-Type: application/json"]);
        let values: Vec<_> = question.headers.get_all("content-type").iter().collect();
        assert_eq!(values, ["application/json"]);
    }
}
