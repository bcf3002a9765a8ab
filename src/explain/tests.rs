//! Questions and their answers on a small policy.

use super::*;
use crate::config::{Loaded, load};
use crate::policy::NoFiles;
use crate::policy::moment::Moment;
use serde_json::{Value, json};

const POLICY: &str = r#"
[upstream]
url = "http://127.0.0.1:9011"

[[ip_acl]]
name = "office"
id = "fba75c7b-8c27-4cdd-840e-694d808d0aab"
default = "block"
allow = ["198.51.100.0/24"]

[[ip_acl]]
name = "not-abuse"
default = "allow"
block = ["203.0.113.7", "203.0.113.10-203.0.113.20"]

[[api_key]]
name = "ci"
sha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b" # secret
ip_acl = "office"

[[tenant]]
id = "d7d09513-a3f5-401c-9685-34ab6c552453"
name = "acme"
default = true
ip_acl = "not-abuse"

[[application]]
id = "85a03867-dccf-4882-adde-1a79aeec50df"
name = "portal"
tenant = "acme"
ip_acl = "office"

[[path]]
prefix = "/api/v2/"
ip_acl = "office"
mode = "report"
"#;

fn loaded() -> Loaded {
    let outcome = load(POLICY, "gateway.toml", &NoFiles, Moment::FIRST);
    outcome.loaded.unwrap_or_else(|| panic!("{}", outcome.findings.render(false)))
}

fn ask(question: &Value) -> Value {
    let Loaded { config, policy } = loaded();
    let question = question_from_json(question.to_string().as_bytes()).unwrap();
    to_json(&explain(&config, &policy, &question))
}

#[test]
fn an_entry_that_blocks() {
    let answer = ask(&json!({ "clientIPAddress": "::ffff:203.0.113.12", "path": "/oauth2/authorize" }));
    let subject = json!({ "kind": "tenant", "id": "d7d09513-a3f5-401c-9685-34ab6c552453", "name": "acme" });
    let entry =
        json!({ "action": "Block", "startIPAddress": "203.0.113.10", "endIPAddress": "203.0.113.20" });
    assert_eq!(answer["clientIPAddress"], "203.0.113.12");
    assert_eq!(answer["decision"], "block");
    assert_eq!(answer["subject"], subject);
    assert_eq!(answer["ipAccessControlList"]["name"], "not-abuse");
    assert_eq!(answer["entry"], entry);
    assert_eq!(answer["response"], json!({ "status": 403 }));
    assert_eq!(answer["checks"].as_array().unwrap().len(), 1);
    assert_eq!(answer["checks"][0]["subject"], subject);
    assert_eq!(answer["checks"][0]["entry"], entry);
}

#[test]
fn a_default_that_blocks_a_key_on_every_path() {
    let headers = json!({ "Authorization": "secret" });
    let answer = ask(&json!({ "clientIPAddress": "192.0.2.1", "path": "/api/user", "headers": headers }));
    assert_eq!(answer["subject"]["kind"], "apiKey");
    assert_eq!(answer["entry"], json!({ "action": "Block", "startIPAddress": "*" }));
    assert_eq!(answer["response"]["status"], 401);
    assert_eq!(answer["ipAccessControlList"]["id"], "fba75c7b-8c27-4cdd-840e-694d808d0aab");
}

#[test]
fn an_undetermined_client_is_blocked_whatever_the_default() {
    for client in [Value::Null, json!("unknown")] {
        let answer = ask(&json!({ "clientIPAddress": client, "path": "/oauth2/authorize" }));
        assert_eq!(answer["clientIPAddress"], Value::Null);
        assert_eq!((&answer["decision"], &answer["entry"]["action"]), (&json!("block"), &json!("Block")));
    }
}

#[test]
fn nothing_that_applies_allows() {
    let answer = ask(&json!({ "clientIPAddress": "192.0.2.1", "path": "/public" }));
    let expected = json!({
        "clientIPAddress": "192.0.2.1", "decision": "allow", "subject": null, "ipAccessControlList": null,
        "entry": null, "checks": [], "response": { "status": null },
    });
    assert_eq!(answer, expected);
}

#[test]
fn report_mode_lets_through_and_says_so() {
    let answer = ask(&json!({ "clientIPAddress": "192.0.2.1", "path": "/api/v2/users" }));
    assert_eq!((&answer["decision"], &answer["response"]["status"]), (&json!("allow"), &Value::Null));
    assert_eq!(
        (&answer["checks"][0]["decision"], &answer["checks"][0]["mode"]),
        (&json!("block"), &json!("report"))
    );
}

#[test]
fn loopback_paths_have_no_acl() {
    let answer = ask(&json!({ "clientIPAddress": "192.0.2.1", "path": "/api/status" }));
    assert_eq!((&answer["decision"], &answer["subject"]["kind"]), (&json!("block"), &json!("loopback")));
    assert_eq!((&answer["ipAccessControlList"], &answer["response"]["status"]), (&Value::Null, &json!(404)));
    let local = ask(&json!({ "clientIPAddress": "127.0.0.1", "path": "/api/status" }));
    assert_eq!(local["decision"], "allow");
}

#[test]
fn a_body_may_decide() {
    let question = json!({
        "clientIPAddress": "192.0.2.1", "method": "POST", "path": "/oauth2/authorize",
        "headers": { "Content-Type": "application/x-www-form-urlencoded" },
        "body": "client_id=85a03867-dccf-4882-adde-1a79aeec50df",
    });
    let answer = ask(&question);
    assert_eq!((&answer["decision"], &answer["subject"]["name"]), (&json!("block"), &json!("portal")));
}

#[test]
fn a_refused_request_is_blocked_without_a_subject() {
    let answer = ask(&json!({ "clientIPAddress": "192.0.2.1", "path": "/oauth2/%00" }));
    assert_eq!((&answer["decision"], &answer["subject"]), (&json!("block"), &Value::Null));
    assert_eq!(answer["response"]["status"], 400);
}

#[test]
fn a_peer_is_asked_for_its_forwarding_header() {
    let Loaded { config, policy } = loaded();
    let behind = |peer: &str| {
        let question = Question::new(Client::Behind(peer.parse().unwrap()));
        let question = question.with_header("X-Forwarded-For", "203.0.113.7").unwrap();
        explain(&config, &policy, &question).client.map(|address| address.to_string())
    };
    assert_eq!(behind("127.0.0.1").as_deref(), Some("203.0.113.7"));
    assert_eq!(behind("192.0.2.1").as_deref(), Some("192.0.2.1"));
}

#[test]
fn what_is_not_a_question_is_refused() {
    for text in [
        "",
        "[]",
        "{}",
        r#"{"clientIPAddress":"x"}"#,
        r#"{"clientIPAddress":"1.2.3.4","pth":"/"}"#,
        r#"{"clientIPAddress":"1.2.3.4","headers":{"A":1}}"#,
        r#"{"clientIPAddress":"1.2.3.4","path":""}"#,
        r#"{"clientIPAddress":"1.2.3.4","method":"A B"}"#,
    ] {
        assert!(question_from_json(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn refusals_have_the_status_that_the_gateway_answers() {
    use RequestError as E;
    for error in [
        E::Malformed(""),
        E::MethodNotAllowed,
        E::HeadTimeout,
        E::BodyTimeout,
        E::BodyTooLarge,
        E::TargetTooLong,
        E::Unsupported(""),
        E::HeadTooLarge,
        E::BodyAborted,
        E::TooManyConnections,
    ] {
        assert_eq!(
            refusal_status(error),
            crate::answer::not_understood(error).status().as_u16(),
            "{error:?}"
        );
    }
}
