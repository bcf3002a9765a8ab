//! `aclgate demo`: a stand-in identity server, an example policy, the gateway in front, and a tour.
//!
//! Each request of the tour is really sent through the gateway, from loopback, with an `X-Forwarded-For` of its own;
//! the status is what came back, the reason is what [`explain`](crate::explain) says. Where the two disagree, or an
//! answer is not the expected one, the tour says so.

mod client;
mod tour;

use super::style::{ALLOW, BLOCK, ERROR, FAINT, STRONG};
use super::{CliError, stand_in};
use crate::app;
use crate::explain::{Explanation, explain};
use crate::policy::decide::Effect;
use crate::store::Loader;
use crate::telemetry::logging::LogControl;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tour::Stop;

/// Width of the column of requests.
const WIDTH: usize = 58;

/// Shows the gateway at work; with `once` it ends after the tour, else with Ctrl-C.
///
/// # Errors
/// Something cannot be started. An unexpected answer is no error, but exit code 1.
pub fn run(once: bool, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| cannot("start a runtime", &error))?;
    let upstream = runtime
        .block_on(stand_in::start())
        .map_err(|error| cannot("start the stand-in identity server", &error))?;
    let place = Place::new().map_err(|error| cannot("make a directory for the example", &error))?;
    let file = place.0.join("gateway.toml");
    std::fs::write(&file, tour::policy(upstream))
        .map_err(|error| cannot("write the example policy", &error))?;
    let loader = Loader::new(&file);
    let running = app::start(loader.clone(), loader.load()?, LogControl::none())
        .map_err(|error| CliError::Start(error.to_string()))?;
    let Some(gateway) = running.addresses().first().copied() else {
        return Err(CliError::Start("the gateway listens nowhere".to_owned()));
    };
    introduce(&file, upstream, gateway, out)?;
    let unexpected = runtime.block_on(walk(&loader, gateway, out))?;
    if !once {
        invite(&file, gateway, out)?;
        runtime.block_on(tokio::signal::ctrl_c()).map_err(|error| cannot("wait for Ctrl-C", &error))?;
    }
    Ok(if unexpected == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn introduce(file: &Path, upstream: SocketAddr, gateway: SocketAddr, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{STRONG}aclgate demo{STRONG:#}")?;
    writeln!(out, "  identity server  http://{upstream}  {FAINT}(a stand-in){FAINT:#}")?;
    writeln!(out, "  gateway          http://{gateway}")?;
    writeln!(out, "  policy           {}\n", file.display())?;
    writeln!(out, "{STRONG}{:<15}  {:<WIDTH$}  status  why{STRONG:#}", "client", "request")
}

/// Sends every request of the tour; gives the number of answers that are not as they should be.
async fn walk(loader: &Loader, gateway: SocketAddr, out: &mut dyn Write) -> Result<usize, CliError> {
    let candidate = loader.load()?;
    let directory =
        loader.path().parent().map_or_else(String::new, |parent| format!("{}/", parent.display()));
    let mut unexpected = 0;
    for stop in tour::STOPS {
        let question = stop.question()?;
        let explanation = explain(&candidate.config, &candidate.policy, &question);
        let status =
            client::send(gateway, &question).await.map_err(|error| cannot("reach the gateway", &error))?;
        unexpected += usize::from(write_stop(stop, (status, &explanation), &directory, out)?);
    }
    let requests = tour::STOPS.len();
    writeln!(out, "\n{requests} requests, {unexpected} answers not as expected")?;
    Ok(unexpected)
}

/// Writes a row; whether the answer is not as it should be.
fn write_stop(
    stop: &Stop,
    (status, explanation): (u16, &Explanation),
    directory: &str,
    out: &mut dyn Write,
) -> io::Result<bool> {
    let style = match explanation.effect() {
        Effect::Allow => ALLOW,
        Effect::Block => BLOCK,
    };
    // The place of an entry is told apart by its line: there is one file, and its path is above.
    let reason = super::explain::reason(explanation).replace(directory, "");
    let request = format!("{} {}", stop.method, stop.shown());
    writeln!(out, "{:<15}  {request:<WIDTH$}  {style}{status}{style:#}     {reason}", stop.client)?;
    writeln!(out, "{:<15}  {FAINT}{}{FAINT:#}", "", stop.title)?;
    let disagrees = explanation.status().is_some_and(|explained| explained != status);
    if disagrees {
        writeln!(out, "{ERROR}the gateway answered {status}, the explanation says otherwise{ERROR:#}")?;
    }
    if status != stop.status {
        writeln!(out, "{ERROR}expected {}, got {status}{ERROR:#}", stop.status)?;
    }
    Ok(disagrees || status != stop.status)
}

fn invite(file: &Path, gateway: SocketAddr, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\nStill serving; try it, and end it with Ctrl-C:")?;
    writeln!(out, "  curl -i -H 'X-Forwarded-For: 203.0.113.9' 'http://{gateway}/oauth2/authorize'")?;
    writeln!(out, "  edit {}: a change is in force within a second", file.display())?;
    out.flush()
}

fn cannot(what: &str, error: &dyn std::error::Error) -> CliError {
    CliError::Start(format!("cannot {what}: {error}"))
}

/// A directory of our own, gone at the end.
struct Place(PathBuf);

impl Place {
    fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("aclgate-demo-{}", ::uuid::Uuid::new_v4()));
        // Fails where somebody was there first.
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What remains is an example policy in a directory for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
