//! Reads a configuration for a command that needs it once.

use super::CliError;
use crate::policy::moment::Moment;
use crate::store::{Candidate, Clock, Loader};
use std::path::Path;

/// What `run` would put in force, now or as of another moment. Warnings are `check`'s to report.
pub(super) fn load(path: &Path, at: Option<Moment>) -> Result<Candidate, CliError> {
    let clock = at.map_or_else(Clock::default, Clock::stopped);
    Ok(Loader::new(path).with_clock(clock).load()?)
}
