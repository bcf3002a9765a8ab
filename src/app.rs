//! Builds everything. (Stand-in.)

use crate::store::{Candidate, Loader};
use crate::telemetry::logging::LogControl;
use std::net::SocketAddr;

/// Stub.
#[derive(Debug)]
pub struct Running;

impl Running {
    /// Stub.
    pub fn addresses(&self) -> &[SocketAddr] {
        &[]
    }
}

/// Stub.
///
/// # Errors
/// Stub.
pub fn start(_loader: Loader, _first: Candidate, _log: LogControl) -> Result<Running, std::io::Error> {
    Err(std::io::Error::other("not there yet"))
}

/// Stub.
///
/// # Errors
/// Stub.
pub fn run(_loader: Loader, _first: Candidate, _log: LogControl) -> Result<(), std::io::Error> {
    Err(std::io::Error::other("not there yet"))
}
