//! `aclgate check FILE`: every error and warning. (Stand-in.)

use super::CliError;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Reports what is wrong with a file.
///
/// # Errors
/// The file cannot be loaded, or the report not written.
pub fn run(file: &Path, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let candidate = super::load::load(file)?;
    writeln!(out, "{}ok", candidate.findings.render(true))?;
    Ok(ExitCode::SUCCESS)
}
