//! The decision service over real sockets, asked as nginx, Traefik, Caddy and Envoy ask.
//!
//! What matters most: nobody but a trusted peer is heard, what is missing or told in two ways is refused, and an answer
//! is the one that the gateway itself would have given, in words that the proxy understands.

use crate::harness::{Answer, Client, Gateway, Upstream};
use crate::reloading::change;
use std::net::IpAddr;

const INSIDE: &str = "198.51.100.7";
const OUTSIDE: &str = "203.0.113.9";
const APPLICATION: &str = "85a03867-dccf-4882-adde-1a79aeec50df";
const OPEN: &str = "3c219e58-ed0e-4b18-ad48-f4f92793ae32";

const POLICY: &str = r#"
[[ip_acl]]
name = "office-only"
default = "block"
allow = ["198.51.100.0/24"]
[[ip_acl]]
name = "open"
default = "allow"
[[api_key]]
name = "ci"
sha256 = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683" # "key"
ip_acl = "office-only"
[[tenant]]
id = "d7d09513-a3f5-401c-9685-34ab6c552453"
name = "acme"
hosts = ["acme.example"]
ip_acl = "office-only"
[[tenant]]
id = "e872a880-b14f-6d62-c312-cb40f22af465"
name = "other"
[[application]]
id = "85a03867-dccf-4882-adde-1a79aeec50df"
tenant = "acme"
[[application]]
id = "3c219e58-ed0e-4b18-ad48-f4f92793ae32"
tenant = "other"
ip_acl = "open"
[[resource_server]]
identifier = "https://acme.example/api/"
ip_acl = "office-only"
[[path]]
prefix = "/private/"
ip_acl = "office-only"
"#;

const NGINX: usize = 0;
const TRAEFIK: usize = 1;
const ENVOY: usize = 2;

/// Nothing is behind it: a decision never goes upstream.
fn start(more: &str) -> Gateway {
    let dialects = ["nginx", "traefik", "envoy"].map(|dialect| {
        let prefix = if dialect == "envoy" { "path_prefix = \"/decide\"\n" } else { "" };
        format!("[[decision]]\nlisten = \"127.0.0.1:0\"\ndialect = \"{dialect}\"\n{prefix}")
    });
    Gateway::start_with(&format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\n[upstream]\nurl = \"http://127.0.0.1:1\"\n{more}{}{POLICY}",
        dialects.concat()
    ))
}

/// A request that is asked about.
#[derive(Clone, Copy)]
struct Original<'a> {
    client: &'a str,
    method: &'a str,
    host: &'a str,
    target: &'a str,
    /// Whole lines.
    fields: &'a str,
    body: &'a str,
}

fn get<'a>(client: &'a str, target: &'a str) -> Original<'a> {
    Original { client, method: "GET", host: "id.example", target, fields: "", body: "" }
}

/// The question of a proxy.
fn question(dialect: usize, original: Original<'_>) -> String {
    let Original { client, method, host, target, fields, body } = original;
    let facts = match dialect {
        ENVOY => format!("{method} /decide{target} HTTP/1.1\r\nHost: {host}\r\n"),
        TRAEFIK => format!(
            "GET /ask HTTP/1.1\r\nHost: aclgate\r\nX-Forwarded-Method: {method}\r\nX-Forwarded-Host: {host}\r\n\
             X-Forwarded-Uri: {target}\r\nX-Forwarded-Proto: https\r\n"
        ),
        _ => format!(
            "GET /ask HTTP/1.0\r\nHost: aclgate\r\nConnection: keep-alive\r\nX-Original-Method: {method}\r\n\
             X-Original-Host: {host}\r\nX-Original-URI: {target}\r\n"
        ),
    };
    let length = match body.len() {
        0 => String::new(),
        length => format!("Content-Length: {length}\r\n"),
    };
    format!("{facts}X-Forwarded-For: {client}\r\n{fields}{length}\r\n{body}")
}

fn ask(gateway: &Gateway, dialect: usize, original: Original<'_>) -> Answer {
    Client::connect(gateway.running().decision_addresses()[dialect]).send(question(dialect, original))
}

#[test]
fn every_subject_is_judged_as_by_the_gateway() {
    let gateway = start("");
    let login = format!("/oauth2/authorize?client_id={APPLICATION}");
    let open = format!("/oauth2/authorize?client_id={OPEN}");
    let key = "Authorization: key\r\n";
    let cases = [
        (get(INSIDE, &login), 200, 200),
        (get(OUTSIDE, &login), 403, 403),
        (get(OUTSIDE, &open), 200, 200),
        (get("unknown", "/private/"), 403, 403),
        (get(INSIDE, "/private/x"), 200, 200),
        (get(OUTSIDE, "/private/x"), 403, 403),
        (get(OUTSIDE, "/public"), 200, 200),
        (get(OUTSIDE, "/x/..%2fprivate/"), 403, 403),
        (get(OUTSIDE, "/%50rivate;a=b/x"), 403, 403),
        (get(OUTSIDE, "/private%00"), 403, 400),
        (Original { host: "acme.example", ..get(OUTSIDE, "/oauth2/authorize") }, 403, 403),
        (Original { host: "acme.example:443", ..get(INSIDE, "/oauth2/authorize") }, 200, 200),
        (Original { host: "a b", ..get(INSIDE, "/public") }, 403, 400),
        (Original { fields: key, ..get(INSIDE, "/api/user") }, 200, 200),
        (Original { fields: key, ..get(OUTSIDE, "/api/user") }, 401, 401),
        (
            Original {
                fields: "X-FusionAuth-TenantId: d7d09513-a3f5-401c-9685-34ab6c552453\r\n",
                ..get(OUTSIDE, "/account/")
            },
            403,
            403,
        ),
        // nginx knows 2xx, 401 and 403 alone.
        (get(OUTSIDE, "/api/status"), 403, 404),
        (get("127.0.0.1", "/api/status"), 200, 200),
        (Original { method: "CONNECT", ..get(INSIDE, "/") }, 403, 405),
    ];
    for (original, nginx, others) in cases {
        for (dialect, expected) in [(NGINX, nginx), (TRAEFIK, others), (ENVOY, others)] {
            // Over HTTP/1.1 the gateway itself refuses such heads: Envoy cannot ask for them.
            if dialect == ENVOY && (original.method == "CONNECT" || original.host == "a b") {
                continue;
            }
            let answer = ask(&gateway, dialect, original);
            let Original { client, method, host, target, fields, .. } = original;
            assert_eq!(answer.status, expected, "{dialect}: {client} {method} {host} {target} {fields}");
        }
    }
}

#[test]
fn the_answer_is_the_clients() {
    let gateway = start("");
    let browser = Original {
        fields: "Accept: text/html\r\n",
        ..get(OUTSIDE, "/oauth2/authorize?tenantId=d7d09513-a3f5-401c-9685-34ab6c552453")
    };
    let page = ask(&gateway, TRAEFIK, browser);
    assert_eq!((page.status, page.header("content-type")), (403, Some("text/html; charset=utf-8")));
    assert!(page.text().contains(OUTSIDE));
    let head = ask(&gateway, TRAEFIK, Original { method: "HEAD", ..browser });
    assert_eq!(head.body.len(), page.body.len(), "asked with GET, answered like GET");
    let allowed = ask(&gateway, NGINX, get(INSIDE, "/private/"));
    assert_eq!((allowed.status, allowed.header("content-length")), (200, Some("0")));
}

#[test]
fn only_trusted_peers_are_heard() {
    let gateway = start("[client_ip]\ntrusted_proxies = [\"127.0.0.2\"]\n");
    let ask = |from: &str, dialect: usize| {
        let from: IpAddr = from.parse().unwrap();
        let address = gateway.running().decision_addresses()[dialect];
        Client::connect_from(from, address).send(question(dialect, get(INSIDE, "/public"))).status
    };
    for dialect in [NGINX, TRAEFIK, ENVOY] {
        assert_eq!((ask("127.0.0.2", dialect), ask("127.0.0.3", dialect)), (200, 403), "{dialect}");
    }
}

#[test]
fn missing_repeated_and_disagreeing_facts_are_refused() {
    let gateway = start("");
    let whole = question(NGINX, get(INSIDE, "/public"));
    let send = |text: &str| Client::connect(gateway.running().decision_addresses()[NGINX]).send(text).status;
    assert_eq!(send(&whole), 200);
    for name in ["X-Original-URI", "X-Original-Method", "X-Original-Host", "X-Forwarded-For"] {
        let (front, rest) = whole.split_once(name).unwrap();
        let (line, behind) = rest.split_once("\r\n").unwrap();
        assert_eq!(send(&format!("{front}{behind}")), 403, "no {name}");
        assert_eq!(send(&format!("{front}{name}:\r\n{behind}")), 403, "an empty {name}");
        if name != "X-Forwarded-For" {
            assert_eq!(
                send(&format!("{front}{name}{line}\r\n{name}{line}\r\n{behind}")),
                403,
                "{name} twice"
            );
        }
    }
    for field in
        ["X-Forwarded-Uri: /other", "X-Original-URL: https://id.example/other", "X-Forwarded-Method: POST"]
    {
        let text = whole.replace("X-Forwarded-For", &format!("{field}\r\nX-Forwarded-For"));
        assert_eq!(send(&text), 403, "{field}");
    }
    let agreeing = whole.replace("X-Forwarded-For", "X-Forwarded-Uri: /public\r\nX-Forwarded-For");
    assert_eq!(send(&agreeing), 200);
}

#[test]
fn a_listener_of_the_wrong_dialect_does_not_take_the_clients_word() {
    let gateway = start("");
    let address = gateway.running().decision_addresses()[TRAEFIK];
    let nginx = question(NGINX, get(OUTSIDE, "/private/"));
    assert_eq!(Client::connect(address).send(&nginx).status, 403);
    let helped = nginx.replace(
        "X-Forwarded-For",
        "X-Forwarded-Uri: /public\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Host: id.example\r\nX-Forwarded-For",
    );
    assert_eq!(Client::connect(address).send(&helped).status, 403);
}

#[test]
fn a_body_that_is_not_sent_is_not_taken_for_none() {
    let gateway = start("");
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let target = format!("/oauth2/token?client_id={OPEN}");
    let token = |client, body| Original { method: "POST", fields: form, body, ..get(client, &target) };
    let asked_for = "grant_type=client_credentials&audience=https://acme.example/api/";
    let cases = [
        // Whatever it says, it would be allowed.
        (token(INSIDE, ""), 200, 200),
        // It may say anything.
        (token(OUTSIDE, ""), 403, 415),
        (Original { method: "POST", ..get(OUTSIDE, &target) }, 403, 415),
        (Original { fields: form, ..get(OUTSIDE, &target) }, 403, 415),
        (get(OUTSIDE, &target), 200, 200),
        // It is there.
        (token(OUTSIDE, "grant_type=authorization_code"), 200, 200),
        (token(OUTSIDE, asked_for), 403, 400),
        (token(INSIDE, asked_for), 200, 200),
        // Its beginning alone is there.
        (
            Original {
                fields: "Content-Type: application/x-www-form-urlencoded\r\nX-Envoy-Auth-Partial-Body: true\r\n",
                ..token(OUTSIDE, "grant_type=authorization_code")
            },
            403,
            415,
        ),
    ];
    for (original, nginx, others) in cases {
        for (dialect, expected) in [(NGINX, nginx), (TRAEFIK, others), (ENVOY, others)] {
            let answer = ask(&gateway, dialect, original);
            assert_eq!(
                answer.status, expected,
                "{dialect}: {} {} {}",
                original.client, original.method, original.body
            );
        }
    }
}

#[test]
fn a_decoy_becomes_a_refusal() {
    let gateway = start("[policy.blocked_api_key]\non_block = \"decoy\"\n");
    let with_key = |client| Original { fields: "Authorization: key\r\n", ..get(client, "/api/user") };
    for dialect in [NGINX, TRAEFIK, ENVOY] {
        assert_eq!(ask(&gateway, dialect, with_key(OUTSIDE)).status, 401);
        assert_eq!(ask(&gateway, dialect, with_key(INSIDE)).status, 200);
    }
}

#[test]
fn a_redirect_is_handed_on_by_those_who_know_it() {
    let gateway = start("[policy.blocked_page]\nredirect = \"https://www.example.com/\"\n");
    let blocked = get(OUTSIDE, "/oauth2/authorize?tenantId=d7d09513-a3f5-401c-9685-34ab6c552453");
    let answer = ask(&gateway, TRAEFIK, blocked);
    assert_eq!((answer.status, answer.header("location")), (302, Some("https://www.example.com/")));
    let answer = ask(&gateway, NGINX, blocked);
    assert_eq!((answer.status, answer.header("location")), (403, None));
}

#[test]
fn decisions_are_counted_with_those_of_the_gateway() {
    let gateway = start("");
    for client in [INSIDE, OUTSIDE, OUTSIDE] {
        ask(&gateway, NGINX, get(client, "/private/"));
    }
    ask(&gateway, ENVOY, get("", "/private/"));
    let metrics = gateway.running().metrics().render(aclgate::telemetry::metrics::Format::OpenMetrics);
    for line in [
        "aclgate_requests_total{decision=\"allow\",subject=\"none\"} 1",
        "aclgate_requests_total{decision=\"block\",subject=\"path\"} 2",
        "aclgate_requests_total{decision=\"refuse\",subject=\"none\"} 1",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
}

#[test]
fn a_new_policy_is_obeyed_on_a_connection_that_stays() {
    let upstream = Upstream::start();
    let text = |default: &str| {
        format!(
            "[server]\nlisten = [\"127.0.0.1:0\"]\n[upstream]\nurl = \"http://{}\"\n[[decision]]\n\
             listen = \"127.0.0.1:0\"\ndialect = \"caddy\"\n[[ip_acl]]\nname = \"a\"\ndefault = \"{default}\"\n\
             [[path]]\nprefix = \"/\"\nip_acl = \"a\"\n",
            upstream.address
        )
    };
    let gateway = Gateway::start_with(&text("allow"));
    let mut client = Client::connect(gateway.running().decision_addresses()[0]);
    let question = question(TRAEFIK, get(OUTSIDE, "/"));
    assert_eq!(client.send(&question).status, 200);
    change(&gateway, &text("block"));
    assert_eq!(client.send(&question).status, 403);
    assert!(upstream.received().is_empty());
}
