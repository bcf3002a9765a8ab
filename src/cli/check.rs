//! `aclgate check FILE`: every error and warning, and one line that sums them up.
//!
//! A file in, a report and an exit code out: 0 where there is no error, whatever the warnings. The same front door
//! as `run` and a reload, so that what passes here is what they take.

use super::CliError;
use crate::policy::Policy;
use crate::policy::finding::Findings;
use crate::store::{LoadError, Loader};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Reports what is wrong with a file.
///
/// # Errors
/// The file cannot be read, or the report not written.
pub fn run(file: &Path, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    match Loader::new(file).load() {
        Ok(candidate) => {
            write!(out, "{}", candidate.findings.render(true))?;
            writeln!(out, "{}", fine(file, &candidate.findings, &candidate.policy))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(LoadError::Findings { findings, .. }) => {
            write!(out, "{}", findings.render(true))?;
            writeln!(out, "{}: {}", file.display(), findings.count())?;
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error.into()),
    }
}

/// `gateway.toml is fine: 3 IP ACLs, 12 ranges, 2 tenants`.
fn fine(file: &Path, findings: &Findings, policy: &Policy) -> String {
    let parts = policy.parts();
    let counts = [
        (parts.acls.len(), "IP ACL", "IP ACLs"),
        (parts.acls.iter().map(|acl| acl.len()).sum(), "range", "ranges"),
        (parts.api_keys.len(), "API key", "API keys"),
        (parts.tenants.len(), "tenant", "tenants"),
        (parts.applications.len(), "application", "applications"),
        (parts.resource_servers.len(), "resource server", "resource servers"),
        (parts.path_rules.len(), "path", "paths"),
    ];
    let named = counts.into_iter().filter(|(count, ..)| *count > 0).map(|(count, one, many)| {
        let word = if count == 1 { one } else { many };
        format!("{count} {word}")
    });
    let contents = named.collect::<Vec<_>>().join(", ");
    let contents = if contents.is_empty() { "no IP ACLs".to_owned() } else { contents };
    let file = file.display();
    match findings.count().as_str() {
        "" => format!("{file} is fine: {contents}"),
        warnings => format!("{file} can be run, with {warnings}: {contents}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> (ExitCode, String) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("gateway.toml");
        std::fs::write(&path, text).unwrap();
        let mut out = Vec::new();
        let code = run(&path, &mut out).unwrap();
        (code, String::from_utf8(out).unwrap().replace(&format!("{}/", directory.path().display()), ""))
    }

    #[test]
    fn the_last_line_sums_up() {
        let upstream = "[upstream]\nurl = \"http://127.0.0.1:9011\"\n";
        let acl = "[[ip_acl]]\nname = \"a\"\ndefault = \"block\"\nallow = [\"192.0.2.1\", \"::1\"]\n";
        let path = "[[path]]\nprefix = \"/x/\"\nip_acl = \"a\"\n";
        let cases = [
            (upstream.to_owned(), ExitCode::SUCCESS, "gateway.toml is fine: no IP ACLs"),
            (
                format!("{upstream}{acl}{path}"),
                ExitCode::SUCCESS,
                "gateway.toml is fine: 1 IP ACL, 2 ranges, 1 path",
            ),
            (
                format!("{upstream}{acl}"),
                ExitCode::SUCCESS,
                "gateway.toml can be run, with 1 warning: 1 IP ACL, 2 ranges",
            ),
            (format!("x = 1\n{acl}"), ExitCode::FAILURE, "gateway.toml: 2 errors, 1 warning"),
        ];
        for (text, code, last) in cases {
            let (found, report) = check(&text);
            assert_eq!((found, report.lines().last()), (code, Some(last)), "{report}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error() {
        assert!(matches!(run(Path::new("/nowhere/gateway.toml"), &mut Vec::new()), Err(CliError::Load(_))));
    }
}
