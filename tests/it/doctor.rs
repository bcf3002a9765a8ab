//! `aclgate doctor` beside a real gateway.

use crate::harness::{Client, Upstream};
use crate::process::Running;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

const POLICY: &str = r#"
[admin]
listen = "127.0.0.1:0"
api_keys = [{ name = "ops", sha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b" }]

[log]
format = "json"
decisions = "all"

[[ip_acl]]
name = "office"
default = "block"
allow = ["198.51.100.0/24"]

[[tenant]]
id = "acme"
default = true
ip_acl = "office"
"#;

fn doctor(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aclgate"));
    command.arg("doctor").args(arguments).current_dir(folder).output().unwrap()
}

/// The codes that were found, the worst first, and the exit code.
fn codes(output: &Output) -> (Vec<String>, Option<i32>) {
    let object: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let codes = object["findings"].as_array().unwrap().iter();
    (codes.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect(), output.status.code())
}

#[test]
fn a_sound_gateway_is_sound_and_an_edge_that_appends_is_found() {
    let upstream = Upstream::start();
    let url = upstream.address;
    let text = format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\nworkers = 1\n[upstream]\nurl = \"http://{url}\"\n{POLICY}"
    );
    let mut gateway = Running::start(&text);
    let admin = gateway.admin().to_string();
    let ask = |gateway: &Running, extra: &[&str]| {
        let arguments = [&["--json", "--admin", &admin], extra].concat();
        codes(&doctor(gateway.folder(), &arguments))
    };
    let send = |gateway: &mut Running, header: &str, times: usize| {
        let mut lines = String::new();
        for _ in 0..times {
            let request = format!("GET /oauth2/authorize HTTP/1.1\r\nHost: x\r\n{header}\r\n");
            Client::connect(gateway.address()).send(request);
            lines.push_str(&gateway.line(|line| line.contains("\"aclgate::blocked\"")));
            lines.push('\n');
        }
        lines
    };
    assert_eq!(ask(&gateway, &[]), (vec!["small-sample".to_owned()], Some(0)));

    let mut recorded = send(&mut gateway, "X-Forwarded-For: 198.51.100.7\r\n", 30);
    assert_eq!(ask(&gateway, &[]), (Vec::new(), Some(0)), "a sound gateway");
    recorded.push_str(&send(&mut gateway, "X-Forwarded-For: 192.0.2.1, 198.51.100.7\r\n", 1));
    assert_eq!(ask(&gateway, &[]), (vec!["edge-appends".to_owned()], Some(1)));
    send(&mut gateway, "X-Forwarded-For: garbage\r\n", 1);
    send(&mut gateway, "", 40);
    let found = ["edge-appends", "edge-hides-clients", "undetermined-clients"].map(str::to_owned);
    assert_eq!(ask(&gateway, &[]), (found.to_vec(), Some(1)));

    // The log alone says the same of what is in it.
    std::fs::write(gateway.folder().join("log.jsonl"), &recorded).unwrap();
    let offline = doctor(gateway.folder(), &["--json", "--offline", "--decisions", "log.jsonl"]);
    assert_eq!(codes(&offline), (vec!["edge-appends".to_owned(), "small-sample".to_owned()], Some(1)));
    let one = recorded.lines().next().unwrap().to_owned() + "\n";
    std::fs::write(gateway.folder().join("log.jsonl"), one.repeat(150)).unwrap();
    let offline = doctor(gateway.folder(), &["--json", "--offline", "--decisions", "log.jsonl"]);
    assert_eq!(codes(&offline), (vec!["one-client".to_owned()], Some(1)));

    // A file that is not what runs.
    std::fs::write(gateway.folder().join("other.toml"), text.replace("198.51.100.0/24", "192.0.2.0/24"))
        .unwrap();
    let (found, _) = ask(&gateway, &["-c", "other.toml"]);
    assert!(found.contains(&"other-policy".to_owned()), "{found:?}");
}

#[test]
fn a_management_listener_with_tls_is_asked_if_its_certificate_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let issued = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(folder.path().join("admin.crt"), issued.cert.pem()).unwrap();
    let key = folder.path().join("admin.key");
    std::fs::write(&key, issued.signing_key.serialize_pem()).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let upstream = Upstream::start();
    let policy = POLICY.replace(
        "[admin]\n",
        "[admin]\ntls = { certificate = \"admin.crt\", private_key = \"admin.key\" }\n",
    );
    let url = upstream.address;
    let text = format!("[server]\nlisten = [\"127.0.0.1:0\"]\n[upstream]\nurl = \"http://{url}\"\n{policy}");
    let gateway = Running::start_in(folder, &text);
    let ask = |admin: &str, ca: &[&str]| {
        codes(&doctor(gateway.folder(), &[&["--json", "--admin", admin], ca].concat()))
    };
    let address = gateway.admin().to_string();
    let (found, not_reached) = (vec!["small-sample".to_owned()], vec!["not-reached".to_owned()]);
    let known = ["--ca", "admin.crt"];
    assert_eq!(ask(&address, &known), (found.clone(), Some(0)), "the file says that it speaks TLS");
    assert_eq!(ask(&format!("https://{address}"), &known), (found, Some(0)));
    assert_eq!(ask(&address, &[]), (not_reached.clone(), Some(0)), "nobody vouches for the certificate");
    assert_eq!(ask(&format!("http://{address}"), &known), (not_reached, Some(0)));
    assert_eq!(doctor(gateway.folder(), &["--admin", "ftp://127.0.0.1"]).status.code(), Some(2));
    let healthy = |ca: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aclgate"));
        command.args(["health", "--url", &format!("https://{address}/readyz")]).args(ca);
        command.current_dir(gateway.folder()).output().unwrap().status.code()
    };
    assert_eq!((healthy(&known), healthy(&[])), (Some(0), Some(1)));
}

#[test]
fn a_careless_configuration_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    std::fs::create_dir(folder.path().join("lists")).unwrap();
    let list = folder.path().join("lists/partners.netset");
    std::fs::write(&list, "192.0.2.0/24\n").unwrap();
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(90 * 24 * 60 * 60);
    std::fs::File::options().write(true).open(&list).unwrap().set_modified(long_ago).unwrap();
    let text = format!(
        "[upstream]\nurl = \"http://{closed}\"\n[client_ip]\ntrusted_proxies = [\"all\"]\n\
         [admin]\nlisten = \"0.0.0.0:{}\"\napi_keys = [{{ name = \"ops\", \
         sha256 = \"2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\" }}]\n\
         [policy]\nmode = \"report\"\n[[ip_acl]]\nname = \"a\"\ndefault = \"block\"\n\
         allow = [{{ range = \"192.0.2.1\", expires = 2020-01-01T00:00:00Z }}]\n\
         allow_files = [\"lists/partners.netset\"]\n[[tenant]]\nid = \"acme\"\nip_acl = \"a\"\n",
        closed.port()
    );
    std::fs::write(folder.path().join("gateway.toml"), text).unwrap();
    let expected = [
        "trusts-everybody",
        "admin-public",
        "report-only",
        "default-tenant-absent",
        "list-old",
        "entry-expired",
        "not-reached",
    ];
    assert_eq!(codes(&doctor(folder.path(), &["--json"])), (expected.map(str::to_owned).to_vec(), Some(1)));

    let output = doctor(folder.path(), &["--offline"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "danger[trusts-everybody]: `client_ip.trusted_proxies`",
        "  why   ",
        "  do    ",
        "2 dangers, 4 warnings, 0 notes",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}
