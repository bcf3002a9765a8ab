//! Follows a page: saves its `gateway.toml` and `cases.toml`, types its commands into one shell, and compares what they
//! print.
//!
//! `$ command` is typed; the lines behind it are what is printed, `...` stands for anything within a line. Ports are
//! exchanged for free ones, so that nobody's own server is in the way.

use super::page::Page;
use crate::process::lines_of;
use std::fmt::Write as _;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;
use tempfile::TempDir;

/// Longer than any command takes on a busy machine; only ever reached by a bug.
const PATIENCE: Duration = Duration::from_secs(60);
const END: &str = "--- end of output ---";

/// One shell, and everything that it starts in the background.
struct Shell {
    child: Child,
    lines: Receiver<String>,
    folder: TempDir,
}

impl Shell {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let binary = Path::new(env!("CARGO_BIN_EXE_aclgate")).parent().unwrap();
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap_or_default());
        let mut child = Command::new("bash")
            .env("PATH", path)
            .current_dir(folder.path())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let lines = lines_of(child.stdout.take().unwrap());
        let mut shell = Self { child, lines, folder };
        shell.write("exec 2>&1");
        shell
    }

    fn write(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Types a command; what it prints.
    fn type_in(&mut self, command: &str) -> Vec<String> {
        self.write(command);
        self.write(&format!("echo '{END}'"));
        let mut printed = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => match line.strip_suffix(END) {
                    None => printed.push(line),
                    Some("") => return printed,
                    // What was printed has no end of line.
                    Some(last) => {
                        printed.push(last.to_owned());
                        return printed;
                    }
                },
                Err(_) => panic!("`{command}` does not end\n{}\n{}", printed.join("\n"), self.logs()),
            }
        }
    }

    fn logs(&self) -> String {
        let mut logs = String::new();
        for entry in std::fs::read_dir(self.folder.path()).unwrap().flatten() {
            if let Ok(text) = std::fs::read_to_string(entry.path()) {
                writeln!(logs, "== {}\n{text}", entry.path().display()).unwrap();
            }
        }
        logs
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // The group has the shell and what it left running, and nothing else.
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.child.id())]).status();
        let _ = self.child.wait();
    }
}

pub(super) fn run(page: &Page) {
    let mut text = std::fs::read_to_string(&page.path).unwrap();
    for port in ["8080", "9011", "9091"] {
        text = text.replace(port, &free_port());
    }
    let page = Page::parse(&page.path, &text);
    let mut shell = Shell::start();
    for block in &page.blocks {
        let file = match &*block.info {
            "toml" if block.text.starts_with("# gateway.toml\n") => Some("gateway.toml"),
            "toml,cases" => Some("cases.toml"),
            _ => None,
        };
        if let Some(file) = file {
            std::fs::write(shell.folder.path().join(file), &block.text).unwrap();
        }
        if block.info == "console" {
            for (command, expected) in commands(&block.text) {
                let printed = shell.type_in(&command);
                let same = printed.len() == expected.len()
                    && expected.iter().zip(&printed).all(|(expected, printed)| matches(expected, printed));
                assert!(
                    same,
                    "{}:{}\n$ {command}\nexpected\n{}\nprinted\n{}\n{}",
                    page.name(),
                    block.line,
                    expected.join("\n"),
                    printed.join("\n"),
                    shell.logs()
                );
            }
        }
    }
}

/// Below those that the system gives away, so that nobody gets it by chance before the page's command does; another run
/// of the tests begins elsewhere.
fn free_port() -> String {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let first = 20_000 + std::process::id() % 120 * 100;
    let ports = std::iter::repeat_with(|| first + TAKEN.fetch_add(1, Ordering::Relaxed));
    let free = |port: &u32| std::net::TcpListener::bind(format!("127.0.0.1:{port}")).is_ok();
    ports.take(100).find(free).unwrap().to_string()
}

/// Each command with what it prints.
fn commands(text: &str) -> Vec<(String, Vec<String>)> {
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => commands.push((command.to_owned(), Vec::new())),
            None => commands.last_mut().expect("output without a command").1.push(line.trim_end().to_owned()),
        }
    }
    commands
}

/// Whether a line is the expected one, where `...` stands for anything.
pub(super) fn matches(expected: &str, printed: &str) -> bool {
    let mut pieces = expected.split("...");
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = printed.trim_end().strip_prefix(first) else { return false };
    let pieces: Vec<_> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return rest.is_empty() };
    for piece in middle {
        match rest.split_once(piece) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}
