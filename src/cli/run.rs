//! `aclgate run`: reads the file, reports what is wrong with it, starts the log, raises the limit of open files, and hands over to [`app`].

use super::{CliError, open_files};
use crate::app;
use crate::store::{Candidate, Loader};
use crate::telemetry::logging;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Runs the gateway until it is told to stop.
///
/// # Errors
/// The file cannot be loaded or the gateway not started.
pub fn run(config: &Path) -> Result<ExitCode, CliError> {
    let loader = Loader::new(config);
    let first = loader.load()?;
    report_warnings(&first);
    let log = logging::start(&first.config.log).map_err(|error| CliError::Start(error.to_string()))?;
    open_files::raise(&first.config.server.limits);
    let ended = app::run(loader, first, log.clone()).map_err(|error| CliError::Start(error.to_string()));
    log.flush();
    ended.map(|()| ExitCode::SUCCESS)
}

/// Before the log is there, so that they look as `check` shows them.
fn report_warnings(candidate: &Candidate) {
    if !candidate.findings.is_empty() {
        // Nobody is left to tell if standard error is closed.
        let _ = write!(anstream::stderr(), "{}", candidate.findings.render(true));
    }
}
