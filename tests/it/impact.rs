//! `aclgate impact` on the log of a real gateway.

use crate::harness::{Client, Upstream};
use crate::process::Running;
use serde_json::Value;
use std::process::Command;

const OLD: &str = r#"
[[ip_acl]]
name = "office"
default = "block"
allow = ["198.51.100.0/24", "203.0.113.0/24"]

[[tenant]]
id = "d7d09513-a3f5-401c-9685-34ab6c552453"
name = "acme"
default = true
ip_acl = "office"
"#;

/// 203.0.113.0/24 is gone, 192.0.2.1 is new, and an application that nobody listed has an ACL of its own.
const NEW: &str = r#"
[[ip_acl]]
name = "office"
default = "block"
allow = ["198.51.100.0/24", "192.0.2.1"]

[[ip_acl]]
name = "nobody"
default = "block"

[[tenant]]
id = "d7d09513-a3f5-401c-9685-34ab6c552453"
name = "acme"
default = true
ip_acl = "office"

[[application]]
id = "85a03867-dccf-4882-adde-1a79aeec50df"
name = "portal"
ip_acl = "nobody"
"#;

fn file(upstream: &Upstream, log: &str, policy: &str) -> String {
    let url = upstream.address;
    format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\nworkers = 1\n[upstream]\nurl = \"http://{url}\"\n{log}{policy}"
    )
}

fn requests() -> Vec<String> {
    let get = |client: &str, target: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: idp.example\r\nX-Forwarded-For: {client}\r\n\r\n")
    };
    let form = "client_id=85a03867-dccf-4882-adde-1a79aeec50df&password=SECRET";
    let login = format!(
        "POST /oauth2/authorize HTTP/1.1\r\nHost: idp.example\r\nX-Forwarded-For: 192.0.2.1\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    vec![
        get("198.51.100.7", "/oauth2/authorize"),
        get("203.0.113.9", "/oauth2/authorize?state=SECRET"),
        get("203.0.113.9", "/oauth2/authorize?state=SECRET"),
        get("192.0.2.1", "/oauth2/authorize"),
        get("198.51.100.8", "/oauth2/authorize?client_id=85a03867-dccf-4882-adde-1a79aeec50df"),
        get("203.0.113.9", "/api/user"),
        login,
        // Nobody reads this body: its client may come from everywhere.
        format!(
            "POST /oauth2/token HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.5\r\nContent-Length: 2\r\n\r\nab"
        ),
    ]
}

#[test]
fn a_recording_says_whom_a_new_policy_would_block() {
    let upstream = Upstream::start();
    let log = "[log]\nformat = \"json\"\ndecisions = \"all\"\nlevel = \"info\"\n";
    let mut gateway = Running::start(&file(&upstream, log, OLD));
    let mut recording = String::new();
    for request in requests() {
        Client::connect(gateway.address()).send(request);
        recording.push_str(&gateway.line(|line| line.contains("\"aclgate::blocked\"")));
        recording.push('\n');
    }
    assert!(!recording.contains("SECRET"), "{recording}");
    recording.push_str("{\"level\":\"INFO\",\"target\":\"aclgate::app\",\"message\":\"something else\"}\n");
    std::fs::write(gateway.folder().join("decisions.jsonl"), &recording).unwrap();
    std::fs::write(gateway.folder().join("new.toml"), file(&upstream, "", NEW)).unwrap();

    let impact = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_aclgate"))
            .args(["impact", "-c"])
            .args(arguments)
            .current_dir(gateway.folder())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let same: Value = serde_json::from_str(&impact(&["gateway.toml", "decisions.jsonl", "--json"])).unwrap();
    assert_eq!((&same["replayed"], &same["unchanged"]), (&8.into(), &8.into()), "{same}");

    let new: Value = serde_json::from_str(&impact(&["new.toml", "decisions.jsonl", "--json"])).unwrap();
    let counts = ["newlyBlocked", "newlyAllowed"].map(|change| new[change]["requests"].as_u64().unwrap());
    assert_eq!((counts, &new["unchanged"], &new["otherLines"]), ([3, 1], &3.into(), &1.into()), "{new}");
    assert_eq!(new["notReplayed"][0]["decisions"], 1, "{new}");
    let blocked = &new["newlyBlocked"]["groups"];
    assert_eq!(
        (&blocked[0]["subject"]["name"], &blocked[0]["ipAccessControlList"]),
        (&"portal".into(), &"nobody".into())
    );
    assert_eq!(blocked[0]["clients"][0]["clientIPAddress"], "198.51.100.8");
    assert_eq!(
        (&blocked[1]["subject"]["name"], &blocked[1]["clients"][0]["requests"]),
        (&"acme".into(), &2.into())
    );
    assert_eq!(new["newlyAllowed"]["groups"][0]["clients"][0]["clientIPAddress"], "192.0.2.1");

    let text = impact(&["new.toml", "decisions.jsonl"]);
    for part in [
        "7 decisions replayed: 3 as before, 3 newly blocked, 1 newly allowed",
        "tenant `acme`, ACL `office`: 2 requests of 1 client",
        "application `portal`, ACL `nobody`: 1 requests of 1 client",
        "1 decisions not replayed",
        "its body was not read then and would be now",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn a_candidate_can_be_asked_about_another_time() {
    let upstream = Upstream::start();
    let log = "[log]\nformat = \"json\"\ndecisions = \"all\"\n";
    let mut gateway = Running::start(&file(&upstream, log, OLD));
    Client::connect(gateway.address()).send(requests().swap_remove(0));
    let line = gateway.line(|line| line.contains("\"aclgate::blocked\""));
    std::fs::write(gateway.folder().join("decisions.jsonl"), line + "\n").unwrap();
    let for_a_while = "{ range = \"198.51.100.0/24\", expires = 2099-12-01T00:00:00Z }";
    let candidate = file(&upstream, "", &OLD.replace("\"198.51.100.0/24\"", for_a_while));
    std::fs::write(gateway.folder().join("new.toml"), candidate).unwrap();
    let newly_blocked = |at: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aclgate"));
        command.args(["impact", "-c", "new.toml", "decisions.jsonl", "--json"]).args(at);
        let output = command.current_dir(gateway.folder()).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        report["newlyBlocked"]["requests"].as_u64().unwrap()
    };
    assert_eq!(newly_blocked(&[]), 0);
    assert_eq!(newly_blocked(&["--at", "2099-11-30T23:59:59Z"]), 0);
    assert_eq!(newly_blocked(&["--at", "2099-12-01T00:00:00Z"]), 1);
}

#[test]
fn without_all_only_blocked_requests_have_a_line() {
    let upstream = Upstream::start();
    let mut gateway = Running::start(&file(&upstream, "[log]\nformat = \"json\"\n", OLD));
    for client in ["198.51.100.7", "192.0.2.1"] {
        let request =
            format!("GET /oauth2/authorize HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {client}\r\n\r\n");
        Client::connect(gateway.address()).send(request);
    }
    let line: Value = serde_json::from_str(&gateway.line(|line| line.contains("aclgate::blocked"))).unwrap();
    assert_eq!((&line["decision"], &line["client"]), (&"block".into(), &"192.0.2.1".into()), "{line}");
}
