//! The management API over real sockets: what it answers, that it is in force then, and whom it keeps out.

use super::harness::{Answer, Client, Gateway, Upstream};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::net::IpAddr;

const OFFICE: &str = "fba75c7b-8c27-4cdd-840e-694d808d0aab";
const BLOCKED_BY_OFFICE: &str = "203.0.113.9";

fn hash(key: &str) -> String {
    Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A gateway with an admin, a reader, and a key that may be used from 127.0.0.2 alone.
fn gateway(upstream: &Upstream) -> Gateway {
    let keys = format!(
        "{{ name = \"ops\", sha256 = \"{}\" }}, {{ name = \"viewer\", sha256 = \"{}\", role = \"reader\" }}, \
         {{ name = \"desk\", sha256 = \"{}\", ip_acl = \"desk\" }}",
        hash("admin"),
        hash("reader"),
        hash("desk")
    );
    Gateway::start(
        upstream,
        &format!(
            "[admin]\nlisten = \"127.0.0.1:0\"\napi_keys = [{keys}]\naudit_log = \"audit.jsonl\"\n\n\
             # The office.\n[[ip_acl]]\nname = \"office-only\"\nid = \"{OFFICE}\"\ndefault = \"block\"\n\
             allow = [\"198.51.100.0/24\"] # the ground floor\n\n\
             [[ip_acl]]\nname = \"desk\"\ndefault = \"block\"\nallow = [\"127.0.0.2\"]\n\n\
             [[tenant]]\nid = \"d7d09513-a3f5-401c-9685-34ab6c552453\"\nname = \"acme\"\ndefault = true\n"
        ),
    )
}

/// A request to the management API.
struct Ask<'a> {
    key: &'a str,
    from: IpAddr,
    media_type: &'a str,
}

const ADMIN: Ask<'static> =
    Ask { key: "admin", from: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), media_type: "application/json" };

impl Ask<'_> {
    fn send(&self, gateway: &Gateway, method: &str, target: &str, body: &str) -> Answer {
        let address = gateway.running().admin_address().expect("a management listener");
        let key =
            if self.key.is_empty() { String::new() } else { format!("Authorization: {}\r\n", self.key) };
        Client::connect_from(self.from, address).send(format!(
            "{method} {target} HTTP/1.1\r\nHost: admin\r\n{key}Content-Type: {}\r\nContent-Length: {}\r\n\r\n{body}",
            self.media_type,
            body.len()
        ))
    }

    fn json(&self, gateway: &Gateway, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.send(gateway, method, target, &body);
        let object =
            if answer.body.is_empty() { Value::Null } else { serde_json::from_slice(&answer.body).unwrap() };
        (answer.status, object)
    }
}

fn acl(name: &str, default: &str, allowed: &[&str]) -> Value {
    let mut entries = vec![json!({ "action": default, "startIPAddress": "*" })];
    entries.extend(allowed.iter().map(|range| json!({ "action": "Allow", "startIPAddress": range })));
    json!({ "ipAccessControlList": { "name": name, "entries": entries } })
}

#[test]
fn a_change_is_in_the_file_and_in_force_when_it_is_answered() {
    let (upstream, page) = (Upstream::start(), "/oauth2/authorize?client_id=a");
    let gateway = gateway(&upstream);
    let tenant = "/api/tenant/d7d09513-a3f5-401c-9685-34ab6c552453";
    let patch = |acl: Value| json!({ "tenant": { "accessControlConfiguration": { "uiIPAccessControlListId": acl } } });
    for _ in 0..5 {
        assert_eq!(gateway.get(BLOCKED_BY_OFFICE, page).status, 200);
        assert_eq!(ADMIN.json(&gateway, "PATCH", tenant, &patch(OFFICE.into())).0, 200);
        assert_eq!(gateway.get(BLOCKED_BY_OFFICE, page).status, 403);
        assert_eq!(ADMIN.json(&gateway, "PATCH", tenant, &patch(Value::Null)).0, 200);
    }
    ADMIN.json(&gateway, "PATCH", tenant, &patch(OFFICE.into()));
    let renamed = acl("head office", "Block", &["198.51.100.0/24", "203.0.113.9/32"]);
    assert_eq!(ADMIN.json(&gateway, "PUT", &format!("/api/ip-acl/{OFFICE}"), &renamed).0, 200);
    assert_eq!(gateway.get(BLOCKED_BY_OFFICE, page).status, 200);
    let text = std::fs::read_to_string(gateway.file()).unwrap();
    assert!(text.contains("ip_acl = \"head office\"") && text.contains("# the ground floor"), "{text}");
    let records = std::fs::read_to_string(gateway.folder().join("audit.jsonl")).unwrap();
    let last: Value = serde_json::from_str(records.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["key"], &last["operation"], &last["client"]),
        (&json!("ops"), &json!("update"), &json!("127.0.0.1"))
    );
    assert_eq!((&last["old"]["name"], &last["new"]["name"]), (&json!("office-only"), &json!("head office")));
    assert_eq!(last["revision"], gateway.running().reloader().store().load().revision);
    assert_eq!(records.lines().count(), 12);
}

#[test]
fn ids_and_names_in_any_alphabet() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    for (kind, id) in [("tenant", "Ó"), ("application", "Straße"), ("tenant", "学校")] {
        let path = format!("/api/{kind}");
        let (status, made) = ADMIN.json(&gateway, "POST", &path, &json!({ kind: { "id": id, "name": id } }));
        assert_eq!((status, &made[kind]["id"], &made[kind]["name"]), (200, &json!(id), &json!(id)), "{made}");
        assert_eq!(
            ADMIN.json(&gateway, "POST", &path, &json!({ kind: { "id": id, "name": "other" } })).0,
            400
        );
        let encoded: String = id.bytes().map(|byte| format!("%{byte:02X}")).collect();
        assert_eq!(ADMIN.json(&gateway, "GET", &format!("{path}/{encoded}"), &Value::Null).1, made);
        assert_eq!(ADMIN.json(&gateway, "DELETE", &format!("{path}/{encoded}"), &Value::Null).0, 200);
    }
}

#[test]
fn nothing_of_it_is_on_the_public_listener() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let request =
        format!("GET /api/ip-acl/{OFFICE} HTTP/1.1\r\nHost: idp.example\r\nAuthorization: admin\r\n\r\n");
    assert_eq!(gateway.send(request).header("x-upstream"), Some("idp"));
    assert_eq!(gateway.get("192.0.2.1", "/healthz").header("x-upstream"), Some("idp"));
}

#[test]
fn answers_have_the_statuses_and_bodies_of_the_document() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let one = format!("/api/ip-acl/{OFFICE}");
    let absent = "/api/ip-acl/00000000-0000-4000-8000-000000000000";
    #[rustfmt::skip]
    let cases = [
        ("GET", one.as_str(), "", 200), ("HEAD", one.as_str(), "", 200), ("GET", absent, "", 404), ("PUT", absent, "{}", 404),
        ("PATCH", absent, "{}", 404), ("DELETE", absent, "", 404), ("GET", "/api/ip-acl/x", "", 400), ("DELETE", "/api/ip-acl", "", 400),
        ("GET", "/api/none", "", 404), ("OPTIONS", one.as_str(), "", 405), ("POST", "/api/ip-acl", "{", 400), ("POST", "/api/ip-acl", "[]", 400),
        ("PUT", one.as_str(), "{}", 400), ("POST", "/api/ip-acl?force=x", "{}", 400), ("POST", "/api/confirm", "", 409), ("DELETE", &format!("{one}?confirmWithin=x"), "", 400),
    ];
    for (method, target, body, status) in cases {
        let answer = ADMIN.send(&gateway, method, target, body);
        assert_eq!(answer.status, status, "{method} {target}: {}", answer.text());
        let empty = matches!(status, 404 | 405) || method == "HEAD";
        assert_eq!(answer.body.is_empty(), empty, "{method} {target}: {}", answer.text());
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        if matches!(status, 400 | 409) {
            let errors: Value = serde_json::from_slice(&answer.body).unwrap();
            assert!(errors["fieldErrors"].is_object() && errors["generalErrors"].is_array(), "{errors}");
        }
    }
    let text = Ask { media_type: "text/plain", ..ADMIN };
    assert_eq!(text.send(&gateway, "POST", "/api/ip-acl", "{}").status, 415);
    assert_eq!(text.send(&gateway, "PATCH", &one, "{}").status, 415);
    assert_eq!(ADMIN.send(&gateway, "DELETE", &one, "").status, 200);
    assert_eq!(ADMIN.send(&gateway, "GET", &one, "").status, 404);
}

#[test]
fn three_forms_of_patch() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let one = format!("/api/ip-acl/{OFFICE}");
    let entry =
        json!({ "action": "Block", "startIPAddress": "198.51.100.7", "endIPAddress": "198.51.100.7" });
    let merged = json!({ "ipAccessControlList": { "entries": [entry], "data": { "a": 1, "b": null } } });
    let (status, object) = ADMIN.json(&gateway, "PATCH", &one, &merged);
    assert_eq!(
        (status, object["ipAccessControlList"]["entries"].as_array().unwrap().len()),
        (200, 3),
        "{object}"
    );
    let json_patch = Ask { media_type: "application/json-patch+json", ..ADMIN };
    let operations = json!([
        { "op": "test", "path": "/ipAccessControlList/name", "value": "office-only" },
        { "op": "remove", "path": "/ipAccessControlList/entries/2" },
        { "op": "add", "path": "/ipAccessControlList/data/c", "value": [true] },
    ]);
    let (status, object) = json_patch.json(&gateway, "PATCH", &one, &operations);
    assert_eq!(
        (status, object["ipAccessControlList"]["entries"].as_array().unwrap().len()),
        (200, 2),
        "{object}"
    );
    let failing = json!([{ "op": "test", "path": "/ipAccessControlList/name", "value": "x" }]);
    assert_eq!(json_patch.json(&gateway, "PATCH", &one, &failing).0, 400);
    let merge_patch = Ask { media_type: "application/merge-patch+json", ..ADMIN };
    let star = json!([{ "action": "Block", "startIPAddress": "*" }]);
    let patch = json!({ "ipAccessControlList": { "entries": star, "data": { "a": null } } });
    let (status, object) = merge_patch.json(&gateway, "PATCH", &one, &patch);
    assert_eq!((status, &object["ipAccessControlList"]["entries"]), (200, &star));
    assert_eq!(object["ipAccessControlList"]["data"]["c"], json!([true]));
    assert_eq!(ADMIN.json(&gateway, "GET", &one, &Value::Null).1, object);
}

#[test]
fn readers_read() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let reader = Ask { key: "reader", ..ADMIN };
    let question = json!({ "clientIPAddress": "192.0.2.1" });
    for (method, target, body, status) in [
        ("GET", "/api/ip-acl/search", &Value::Null, 200),
        ("POST", "/api/ip-acl/search", &json!({}), 200),
        ("POST", "/api/explain", &question, 200),
        ("POST", "/api/ip-acl", &acl("x", "Allow", &[]), 403),
        ("DELETE", &format!("/api/ip-acl/{OFFICE}"), &Value::Null, 403),
        ("POST", "/api/confirm", &Value::Null, 403),
    ] {
        assert_eq!(reader.json(&gateway, method, target, body).0, status, "{method} {target}");
    }
}

#[test]
fn wrong_keys_are_limited_and_others_are_not_held_up() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let here: IpAddr = "127.0.0.9".parse().unwrap();
    let missing = Ask { key: "", from: here, ..ADMIN };
    for _ in 0..30 {
        let answer = missing.send(&gateway, "GET", "/api/ip-acl", "");
        assert_eq!((answer.status, answer.body.len()), (401, 0), "who has no key guesses nothing");
    }
    let wrong = Ask { key: "wrong", from: here, ..ADMIN };
    let statuses: Vec<_> = (0..11).map(|_| wrong.send(&gateway, "GET", "/api/none", "").status).collect();
    assert_eq!(statuses, [vec![401; 10], vec![429]].concat());
    let right = Ask { from: here, ..ADMIN };
    let answer = right.send(&gateway, "GET", "/api/ip-acl", "");
    assert_eq!(answer.status, 429, "an answer would say that the key is right");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(ADMIN.send(&gateway, "GET", "/api/ip-acl", "").status, 200);
}

#[test]
fn a_key_may_be_bound_to_addresses_and_nobody_locks_themselves_out_by_mistake() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let desk = Ask { key: "desk", from: "127.0.0.2".parse().unwrap(), ..ADMIN };
    let elsewhere = Ask { key: "desk", ..ADMIN };
    let answer = elsewhere.send(&gateway, "GET", "/api/ip-acl", "");
    assert_eq!((answer.status, answer.body.len()), (401, 0));
    let (_, found) = desk.json(&gateway, "GET", "/api/ip-acl/search?name=desk", &Value::Null);
    let one = format!("/api/ip-acl/{}", found["ipAccessControlLists"][0]["id"].as_str().unwrap());
    let (status, errors) = desk.json(&gateway, "DELETE", &one, &Value::Null);
    assert_eq!(status, 400, "{errors}");
    assert!(errors.to_string().contains("admin key `desk`"), "{errors}");
    let locking = acl("desk", "Block", &["127.0.0.3/32"]);
    let before = std::fs::read(gateway.file()).unwrap();
    let (status, errors) = desk.json(&gateway, "PUT", &one, &locking);
    assert_eq!((status, &errors["generalErrors"][0]["code"]), (409, &json!("[lockout]")));
    assert_eq!(std::fs::read(gateway.file()).unwrap(), before);
    assert_eq!(desk.send(&gateway, "GET", &one, "").status, 200);
    let (status, _) = desk.json(&gateway, "PUT", &format!("{one}?force=true"), &locking);
    assert_eq!(status, 200);
    assert_eq!(desk.send(&gateway, "GET", &one, "").status, 401);
    let third = Ask { key: "desk", from: "127.0.0.3".parse().unwrap(), ..ADMIN };
    assert_eq!(third.send(&gateway, "GET", &one, "").status, 200);
}

#[test]
fn an_unconfirmed_change_is_undone() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let before = std::fs::read_to_string(gateway.file()).unwrap();
    let kept = ADMIN.json(&gateway, "POST", "/api/ip-acl?confirmWithin=600", &acl("kept", "Allow", &[]));
    assert_eq!(kept.0, 200);
    let (status, object) = ADMIN.json(&gateway, "POST", "/api/confirm", &Value::Null);
    assert_eq!((status, object["revision"].as_u64()), (200, Some(2)));
    assert_eq!(ADMIN.json(&gateway, "POST", "/api/confirm", &Value::Null).0, 409, "once is enough");
    let confirmed = std::fs::read_to_string(gateway.file()).unwrap();
    assert!(confirmed.starts_with(before.get(..100).unwrap()) && confirmed.contains("\"kept\""));
    let mut changes = gateway.running().reloader().store().changes();
    assert_eq!(
        ADMIN.json(&gateway, "POST", "/api/ip-acl?confirmWithin=1", &acl("gone", "Allow", &[])).0,
        200
    );
    changes.mark_unchanged();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let patience = std::time::Duration::from_secs(20);
    runtime.block_on(async { tokio::time::timeout(patience, changes.changed()).await }).unwrap().unwrap();
    assert_eq!(std::fs::read_to_string(gateway.file()).unwrap(), confirmed);
    let (_, found) = ADMIN.json(&gateway, "GET", "/api/ip-acl/search?name=gone", &Value::Null);
    assert_eq!(found["total"], 0);
}

#[test]
fn health_needs_no_key_and_says_what_is_wrong() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let nobody = Ask { key: "", ..ADMIN };
    assert_eq!(nobody.json(&gateway, "GET", "/healthz", &Value::Null), (200, json!({ "status": "ok" })));
    let (status, ready) = nobody.json(&gateway, "GET", "/readyz", &Value::Null);
    assert_eq!((status, &ready["status"], &ready["reload"]["failure"]), (200, &json!("ready"), &Value::Null));
    let metrics = nobody.send(&gateway, "GET", "/metrics", "");
    assert!(
        metrics.status == 200 && metrics.text().contains("aclgate_policy_revision"),
        "{}",
        metrics.text()
    );
    assert_eq!(nobody.send(&gateway, "GET", "/openapi.json", "").status, 200);
    assert_eq!(nobody.send(&gateway, "GET", "/api/ip-acl", "").status, 401);
    std::fs::write(gateway.file(), "[server\n").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert!(runtime.block_on(gateway.running().reloader().reload()).is_err());
    let (status, ready) = nobody.json(&gateway, "GET", "/readyz", &Value::Null);
    assert_eq!((status, &ready["revision"]), (200, &json!(1)));
    assert!(ready["reload"]["failure"].as_str().unwrap().contains("gateway.toml"), "{ready}");
    let (status, errors) = ADMIN.json(&gateway, "POST", "/api/ip-acl", &acl("x", "Allow", &[]));
    assert_eq!((status, &errors["generalErrors"][0]["code"]), (409, &json!("[conflict]")));
    assert_eq!(std::fs::read_to_string(gateway.file()).unwrap(), "[server\n");
}

#[test]
fn explanations_over_http_are_those_of_the_command_line() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let path = "/oauth2/authorize?tenantId=d7d09513-a3f5-401c-9685-34ab6c552453";
    ADMIN.json(
        &gateway,
        "PATCH",
        "/api/tenant/d7d09513-a3f5-401c-9685-34ab6c552453",
        &json!({ "tenant": { "accessControlConfiguration": { "uiIPAccessControlListId": OFFICE } } }),
    );
    let question = json!({ "clientIPAddress": BLOCKED_BY_OFFICE, "method": "GET", "path": path });
    let (status, answer) = ADMIN.json(&gateway, "POST", "/api/explain", &question);
    assert_eq!(
        (status, &answer["decision"], &answer["response"]["status"]),
        (200, &json!("block"), &json!(403))
    );
    let printed = std::process::Command::new(env!("CARGO_BIN_EXE_aclgate"))
        .args(["explain", "--json", "--ip", BLOCKED_BY_OFFICE, "--path", path, "-c"])
        .arg(gateway.file())
        .output()
        .unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&printed.stdout).unwrap(), answer);
    let (status, errors) = ADMIN.json(&gateway, "POST", "/api/explain", &json!({ "clientIPAddress": "x" }));
    assert_eq!(
        (status, errors["fieldErrors"]["clientIPAddress"][0]["code"].as_str()),
        (400, Some("[invalid]clientIPAddress"))
    );
}

#[test]
fn a_change_that_cannot_be_recorded_is_not_made() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    std::fs::create_dir(gateway.folder().join("audit.jsonl")).unwrap();
    let before = std::fs::read(gateway.file()).unwrap();
    let answer = ADMIN.send(&gateway, "POST", "/api/ip-acl", &acl("x", "Allow", &[]).to_string());
    assert_eq!((answer.status, answer.body.len()), (500, 0));
    assert_eq!(std::fs::read(gateway.file()).unwrap(), before);
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let address = gateway.running().admin_address().unwrap();
    let head = "POST /api/ip-acl HTTP/1.1\r\nHost: admin\r\nAuthorization: admin\r\nContent-Length: 100000000\r\n\r\n";
    assert_eq!(Client::connect(address).send(head).status, 413);
    let stranger = head.replace("Authorization: admin\r\n", "");
    assert_eq!(Client::connect(address).send(stranger).status, 401);
}
