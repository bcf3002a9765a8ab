//! Why a command failed, and with which exit code.

use crate::cli::health::HealthError;
use crate::cli::style::ERROR;
use crate::explain::QuestionError;
use crate::store::LoadError;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// A command that failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// An argument whose value cannot be used.
    #[error("{0}")]
    Usage(#[from] QuestionError),
    /// An argument that goes beyond what [`QuestionError`] knows.
    #[error("{0}")]
    Argument(&'static str),
    /// The configuration cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Another file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What was read is not what it should be.
    #[error("{path}: {message}")]
    Input {
        /// The file, or a word for standard input.
        path: String,
        /// What is wrong, with its place.
        message: String,
    },
    /// A gateway is not known to be ready.
    #[error(transparent)]
    Health(#[from] HealthError),
    /// The gateway cannot be started.
    #[error("{0}")]
    Start(String),
    /// The report cannot be written.
    #[error("cannot write the report: {0}")]
    Output(#[from] io::Error),
}

impl CliError {
    /// The exit code of SPEC §8.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) | Self::Argument(_) | Self::Health(HealthError::Url(_)) => ExitCode::from(2),
            Self::Load(_)
            | Self::Read { .. }
            | Self::Input { .. }
            | Self::Health(_)
            | Self::Start(_)
            | Self::Output(_) => ExitCode::FAILURE,
        }
    }

    /// Writes it for people. Findings come as they are: each says that it is an error.
    pub(super) fn report(&self, to: &mut dyn Write) {
        // Nobody is left to tell if standard error is closed.
        let _ = match self {
            Self::Load(LoadError::Findings { findings, .. }) => write!(to, "{}", findings.render(true)),
            other => writeln!(to, "{ERROR}error{ERROR:#}: {other}"),
        };
    }
}
