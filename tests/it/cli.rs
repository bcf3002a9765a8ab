//! The command line as a process: exit codes, streams, and what must not be seen on them.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const POLICY: &str = r#"
[upstream]
url = "http://127.0.0.1:9011"

[[ip_acl]]
name = "office"
default = "block"
allow = ["198.51.100.0/24"]

[[api_key]]
name = "ci"
sha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
ip_acl = "office"

[[tenant]]
id = "d7d09513-a3f5-401c-9685-34ab6c552453"
name = "acme"
default = true
ip_acl = "office"
"#;

fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("gateway.toml"), POLICY).unwrap();
    directory
}

/// Runs the binary in a directory with an input.
fn aclgate(directory: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_aclgate"))
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Commands that read nothing may be over already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn exit_codes() {
    let directory = directory();
    std::fs::write(directory.path().join("bad.toml"), "[upstream\n").unwrap();
    let case = "[[case]]\nname = \"a\"\nip = \"192.0.2.1\"\npath = \"/oauth2/authorize\"\nexpect = ";
    std::fs::write(directory.path().join("pass.toml"), format!("{case}\"block\"\n")).unwrap();
    std::fs::write(directory.path().join("fail.toml"), format!("{case}\"allow\"\n")).unwrap();
    let lines: [(&str, i32); 20] = [
        ("--version", 0),
        ("--help", 0),
        ("help explain", 0),
        ("man", 0),
        ("completions zsh", 0),
        ("check gateway.toml", 0),
        ("explain --ip 192.0.2.1 --path /oauth2/authorize", 0),
        ("explain --ip 198.51.100.7 --path /oauth2/authorize", 0),
        ("test pass.toml", 0),
        ("test fail.toml", 1),
        ("test gateway.toml", 1),
        ("test missing.toml", 1),
        ("check bad.toml", 1),
        ("check missing.toml", 1),
        ("run -c missing.toml", 1),
        ("explain -c bad.toml --ip 192.0.2.1", 1),
        ("", 2),
        ("serve", 2),
        ("explain", 2),
        ("explain --ip 192.0.2", 2),
    ];
    for (line, code) in lines {
        let arguments: Vec<_> = line.split(' ').filter(|argument| !argument.is_empty()).collect();
        let output = aclgate(directory.path(), &arguments, "");
        assert_eq!(output.status.code(), Some(code), "aclgate {line}\n{}", err(&output));
        assert!(
            code == 0 || !err(&output).is_empty() || !out(&output).is_empty(),
            "aclgate {line} says nothing"
        );
        assert!(
            !out(&output).contains('\u{1b}') && !err(&output).contains('\u{1b}'),
            "colours in a pipe: {line}"
        );
    }
}

#[test]
fn explain_says_who_what_and_where() {
    let directory = directory();
    let output =
        aclgate(directory.path(), &["explain", "--ip", "198.51.100.7", "-p", "/oauth2/authorize"], "");
    for part in
        ["client    198.51.100.7", "decision  allow", "tenant `acme`", "ACL `office`", "gateway.toml:"]
    {
        assert!(out(&output).contains(part), "{part}\n{}", out(&output));
    }
}

#[test]
fn explain_prints_the_object_of_the_management_api() {
    let directory = directory();
    let arguments = ["explain", "--ip", "192.0.2.1", "-p", "/api/user", "--api-key", "secret", "--json"];
    let output = aclgate(directory.path(), &arguments, "");
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["decision"], "block");
    assert_eq!((&object["subject"]["kind"], &object["subject"]["name"]), (&"apiKey".into(), &"ci".into()));
    assert_eq!(
        (&object["entry"]["startIPAddress"], &object["response"]["status"]),
        (&"*".into(), &401.into())
    );
}

#[test]
fn keys_are_hashed_and_never_shown() {
    let directory = directory();
    let output = aclgate(directory.path(), &["hash-key"], "secret\n");
    assert_eq!(out(&output), "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\n");
    let wrong = aclgate(directory.path(), &["hash-key"], "sec\tret\n");
    assert_eq!(wrong.status.code(), Some(1));
    assert!(!err(&wrong).contains("sec\tret") && out(&wrong).is_empty());
    let explained = aclgate(
        directory.path(),
        &["explain", "--ip", "192.0.2.1", "--api-key", "hush-hush", "-H", "X-Y: tell-none"],
        "",
    );
    for text in [out(&explained), err(&explained)] {
        assert!(!text.contains("hush-hush") && !text.contains("tell-none"), "{text}");
    }
}

#[test]
fn what_is_imported_is_fit_for_the_configuration() {
    let directory = directory();
    let nginx = "location /a { allow 192.0.2.0/24; deny all; }\nlocation /b { allow unix:; deny all; }\n";
    let whole = aclgate(directory.path(), &["import", "--from", "nginx", "--name", "office 2", "-"], nginx);
    assert_eq!(whole.status.code(), Some(1), "a list was left out");
    assert!(
        err(&whole).contains("standard input:2:15") && err(&whole).contains("left-out"),
        "{}",
        err(&whole)
    );
    let policy = format!("{POLICY}\n{}", out(&whole));
    std::fs::write(directory.path().join("with.toml"), policy).unwrap();
    let checked = aclgate(directory.path(), &["check", "with.toml"], "");
    assert_eq!(checked.status.code(), Some(0), "{}", out(&checked));
    assert!(out(&checked).contains("2 IP ACLs, 2 ranges"), "{}", out(&checked));
    let bare =
        aclgate(directory.path(), &["import", "--from", "haproxy", "--listed", "block", "-"], "192.0.2.1\n");
    assert_eq!((bare.status.code(), err(&bare)), (Some(0), String::new()));
    assert_eq!(aclgate(directory.path(), &["import", "--from", "apache", "-"], "").status.code(), Some(2));
    assert_eq!(
        aclgate(directory.path(), &["import", "--from", "nginx", "nowhere"], "").status.code(),
        Some(1)
    );
    let broken = aclgate(directory.path(), &["import", "--from", "auth0", "-"], "{");
    assert_eq!((broken.status.code(), out(&broken)), (Some(1), String::new()));
}

#[test]
fn the_cases_of_the_repository_pass() {
    let folders = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases")).unwrap();
    let mut tested = 0;
    for folder in
        folders.map(|folder| folder.unwrap().path()).filter(|folder| folder.join("cases.toml").exists())
    {
        let output = aclgate(&folder, &["test", "-c", "gateway.toml", "cases.toml"], "");
        assert_eq!(output.status.code(), Some(0), "{}\n{}{}", folder.display(), out(&output), err(&output));
        tested += 1;
    }
    assert!(tested > 0);
}

#[test]
fn the_demo_shows_what_it_expects() {
    let directory = directory();
    let output = aclgate(directory.path(), &["demo", "--once"], "");
    assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
    assert!(out(&output).contains(" 0 answers not as expected"), "{}", out(&output));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let directory = directory();
    let mut child = Command::new(env!("CARGO_BIN_EXE_aclgate"))
        .args(["man"])
        .current_dir(directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), err(&output)), (Some(0), String::new()));
}

/// A running gateway process and the lines that it logs.
#[cfg(unix)]
struct Running {
    child: std::process::Child,
    lines: std::sync::mpsc::Receiver<String>,
}

#[cfg(unix)]
impl Running {
    fn start(directory: &Path) -> Self {
        Self::start_after(directory, "true")
    }

    /// Behind a command of the shell that the gateway inherits the effect of.
    fn start_after(directory: &Path, command: &str) -> Self {
        use std::io::{BufRead, BufReader};
        let mut child = Command::new("sh")
            .args(["-c", &format!("{command} && exec \"$0\" run"), env!("CARGO_BIN_EXE_aclgate")])
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = std::sync::mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    /// Waits for a line with this in it.
    fn says(&self, part: &str) {
        let mut before = Vec::new();
        loop {
            match self.lines.recv_timeout(std::time::Duration::from_secs(20)) {
                Ok(line) if line.contains(part) => return,
                Ok(line) => before.push(line),
                Err(error) => panic!("{error} for `{part}` after\n{}", before.join("\n")),
            }
        }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
}

#[cfg(unix)]
impl Drop for Running {
    fn drop(&mut self) {
        // It may be over already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
#[test]
fn a_running_gateway_follows_its_file_and_its_signals() {
    let directory = directory();
    let file = directory.path().join("gateway.toml");
    let policy = format!("[server]\nlisten = [\"127.0.0.1:0\"]\n{POLICY}");
    std::fs::write(&file, &policy).unwrap();
    let mut running = Running::start(directory.path());
    running.says("listening");
    std::fs::write(&file, format!("{policy}\n# changed\n")).unwrap();
    running.says("a new configuration is in force");
    std::fs::write(&file, "[upstream\n").unwrap();
    running.says("the last good one stays in force");
    running.signal("-HUP");
    running.says("SIGHUP");
    running.says("the last good one stays in force");
    std::fs::write(&file, &policy).unwrap();
    running.says("revision=3");
    running.signal("-TERM");
    running.says("drained");
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn open_files_are_raised_to_what_the_system_allows() {
    let directory = directory();
    let listen = "[server]\nlisten = [\"127.0.0.1:0\"]\n";
    let policy = format!("{listen}limits.connections = 200\n{POLICY}");
    std::fs::write(directory.path().join("gateway.toml"), policy).unwrap();
    let running = Running::start_after(directory.path(), "ulimit -n 600 && ulimit -S -n 300");
    running.says("listening");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", running.child.id())).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(files.split_whitespace().skip(3).take(2).collect::<Vec<_>>(), ["600", "600"]);
    drop(running);
    let running = Running::start_after(directory.path(), "ulimit -n 400");
    running.says("limits.connections is more than the limit of open files allows");
}
