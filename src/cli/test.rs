//! `aclgate test`: every case of a file against the policy → a table, and what differs.

use super::cases::{Case, word};
use super::explain::reason;
use super::style::{ALLOW, BLOCK, ERROR, FAINT};
use super::{CliError, load};
use crate::explain::{Explanation, explain};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

/// The end of `--help`.
pub(super) const HELP: &str = "\
A file of cases:

  [[case]]
  name = \"nobody signs on from outside\"
  ip = \"192.0.2.1\"                  # or \"unknown\": a client whose address cannot be determined
  method = \"GET\"                    # optional, as everything below but `expect`
  path = \"/oauth2/authorize?client_id=ID\"
  headers = { Host = \"acme.example\" }
  body = \"\"
  expect = \"block\"                  # or \"allow\"
  acl = \"office-only\"               # the ACL that decides, by name or id
  subject = \"application:portal\"    # the subject that decides: a kind, or kind:name

Kinds: apiKey, application, tenant, resourceServer, path, loopback.";

/// The most of a case's name that the table shows.
const WIDEST_NAME: usize = 60;

/// Runs every case.
///
/// # Errors
/// A file cannot be read or the report not written; cases that differ are no error, but exit code 1.
pub fn run(config: &Path, cases: &Path, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let text =
        std::fs::read_to_string(cases).map_err(|source| CliError::Read { path: cases.to_owned(), source })?;
    let table = Case::read(&text).map_err(|message| {
        let message = message.trim_end().to_owned();
        CliError::Input { path: cases.display().to_string(), message }
    })?;
    let candidate = load::load(config, None)?;
    let results: Vec<_> = table
        .into_iter()
        .map(|case| {
            let explanation = explain(&candidate.config, &candidate.policy, &case.question);
            (case, explanation)
        })
        .collect();
    let failed = write_table(&results, out)?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes the table and gives the number of cases that differ.
fn write_table(results: &[(Case, Explanation)], out: &mut dyn Write) -> io::Result<usize> {
    let longest = results.iter().map(|(case, _)| case.name.chars().count()).max().unwrap_or(0);
    let width = longest.min(WIDEST_NAME);
    let mut failed = 0;
    for (case, explanation) in results {
        let (name, got) = (&case.name, word(explanation.effect()));
        match case.mismatch(explanation) {
            None => writeln!(
                out,
                "{ALLOW}ok  {ALLOW:#}  {name:width$}  {got}  {FAINT}{}{FAINT:#}",
                reason(explanation)
            )?,
            Some(mismatch) => {
                failed += 1;
                writeln!(out, "{ERROR}FAIL{ERROR:#}  {name:width$}  {BLOCK}{mismatch}{BLOCK:#}")?;
                writeln!(out, "      why: {}", reason(explanation))?;
            }
        }
    }
    let passed = results.len() - failed;
    writeln!(out, "\n{passed} passed, {failed} failed")?;
    Ok(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"
[upstream]
url = "http://127.0.0.1:9011"
[[ip_acl]]
name = "office"
default = "block"
allow = ["198.51.100.0/24"]
[[tenant]]
id = "d7d09513-a3f5-401c-9685-34ab6c552453"
name = "acme"
default = true
ip_acl = "office"
"#;

    /// Exit code and report for one case that ends with these lines.
    fn tested(lines: &str) -> (ExitCode, String) {
        let directory = tempfile::tempdir().unwrap();
        let (config, cases) = (directory.path().join("gateway.toml"), directory.path().join("cases.toml"));
        std::fs::write(&config, POLICY).unwrap();
        std::fs::write(&cases, format!("[[case]]\nname = \"a\"\npath = \"/oauth2/authorize\"\n{lines}\n"))
            .unwrap();
        let mut out = anstream::StripStream::new(Vec::new());
        let code = run(&config, &cases, &mut out).unwrap();
        (code, String::from_utf8(out.into_inner()).unwrap())
    }

    #[test]
    fn what_is_as_expected_passes() {
        for lines in [
            "ip = \"198.51.100.7\"\nexpect = \"allow\"",
            "ip = \"198.51.100.7\"\nexpect = \"allow\"\nacl = \"office\"\nsubject = \"tenant:acme\"",
            "ip = \"192.0.2.1\"\nexpect = \"block\"\nsubject = \"tenant\"",
            "ip = \"192.0.2.1\"\nexpect = \"block\"\nsubject = \"tenant:d7d09513-a3f5-401c-9685-34ab6c552453\"",
            "ip = \"unknown\"\nexpect = \"block\"",
        ] {
            let (code, report) = tested(lines);
            assert_eq!(code, ExitCode::SUCCESS, "{lines}\n{report}");
            assert!(report.contains("1 passed, 0 failed"), "{report}");
        }
    }

    #[test]
    fn what_differs_fails_and_says_why() {
        for (lines, expected) in [
            ("ip = \"192.0.2.1\"\nexpect = \"allow\"", "expected allow, got block"),
            ("ip = \"198.51.100.7\"\nexpect = \"block\"", "expected block, got allow"),
            ("ip = \"192.0.2.1\"\nexpect = \"block\"\nacl = \"other\"", "expected ACL `other`, got `office`"),
            (
                "ip = \"192.0.2.1\"\nexpect = \"block\"\nsubject = \"path\"",
                "expected subject `path`, got `tenant:acme`",
            ),
            ("ip = \"192.0.2.1\"\nexpect = \"block\"\nsubject = \"tenant:b\"", "expected subject `tenant:b`"),
        ] {
            let (code, report) = tested(lines);
            assert_eq!(code, ExitCode::FAILURE, "{lines}");
            assert!(report.contains(expected), "{report}");
            assert!(report.contains("why: tenant `acme`, ACL `office`"), "{report}");
        }
    }
}
