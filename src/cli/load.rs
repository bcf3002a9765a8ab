//! Reads a configuration for a command that needs it once.

use super::CliError;
use crate::store::{Candidate, Loader};
use std::path::Path;

/// What `run` would put in force. Warnings are `check`'s to report.
pub(super) fn load(path: &Path) -> Result<Candidate, CliError> {
    Ok(Loader::new(path).load()?)
}
