//! The gateway as a process of its own, whose log can be read.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tempfile::TempDir;

/// Longer than any line takes on a busy machine; only ever reached by a bug.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running `aclgate run`, killed when dropped. Its log is JSON or text, on level `info`.
pub(crate) struct Running {
    child: Child,
    folder: TempDir,
    lines: Receiver<String>,
    address: SocketAddr,
    admin: Option<SocketAddr>,
}

impl Running {
    /// Starts a gateway with this file; it listens when this returns.
    pub(crate) fn start(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::start_in(folder, text)
    }

    /// The same in a folder that has files already.
    pub(crate) fn start_in(folder: TempDir, text: &str) -> Self {
        std::fs::write(folder.path().join("gateway.toml"), text).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_aclgate"))
            .args(["run", "-c", "gateway.toml"])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = lines_of(child.stderr.take().unwrap());
        let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut running = Self { child, folder, lines, address: unknown, admin: None };
        running.address = address(&running.line(|line| line.contains("listening")));
        if text.contains("[admin]") {
            running.admin = Some(address(&running.line(|line| line.contains("management API listens"))));
        }
        running
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the management API listens.
    pub(crate) fn admin(&self) -> SocketAddr {
        self.admin.unwrap()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The next line that is wanted; those before it are gone.
    pub(crate) fn line(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if wanted(&line) => return line,
                Ok(line) => seen.push(line),
                Err(_) => panic!("no such line:\n{}", seen.join("\n")),
            }
        }
    }
}

/// The lines of a stream, as they come.
pub(crate) fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

/// The `127.0.0.1:PORT` of a line.
fn address(line: &str) -> SocketAddr {
    const HOST: &str = "127.0.0.1:";
    let (_, behind) = line.split_once(HOST).unwrap_or_else(|| panic!("no address: {line}"));
    let port: String = behind.chars().take_while(char::is_ascii_digit).collect();
    format!("{HOST}{port}").parse().unwrap()
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
