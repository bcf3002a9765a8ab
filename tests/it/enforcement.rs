//! SPEC §4 and §5 as a client sees them.

use crate::harness::{Gateway, Upstream};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};

const ACLS: &str = r#"
[[ip_acl]]
name = "office-only"
default = "block"
allow = ["198.51.100.0/24", "2001:db8:1::/48"]
block = ["198.51.100.66"]

[[ip_acl]]
name = "anywhere"
default = "allow"
"#;

const TENANT: &str = r#"
[[tenant]]
id = "d7d09513-a3f5-401c-9685-34ab6c552453"
name = "acme"
default = true
ip_acl = "office-only"
"#;

const OUTSIDE: &str = "203.0.113.9";
const INSIDE: &str = "198.51.100.7";

fn hash(key: &str) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn start(policy: &str) -> (Gateway, Upstream) {
    let upstream = Upstream::start();
    (Gateway::start(&upstream, &format!("{ACLS}{policy}")), upstream)
}

#[test]
fn each_sign_on_prefix_is_closed_and_the_rest_is_open() {
    let (gateway, upstream) = start(TENANT);
    for prefix in ["/oauth2/", "/account/", "/email/", "/password/", "/registration/"] {
        for target in [format!("{prefix}x"), prefix.to_owned(), prefix.trim_end_matches('/').to_owned()] {
            assert_eq!(gateway.get(OUTSIDE, &target).status, 403, "{target}");
            assert_eq!(gateway.get(INSIDE, &target).status, 200, "{target}");
        }
    }
    assert!(upstream.received().iter().all(|request| request.header("x-real-ip") == Some(INSIDE)));
    for target in ["/api/user", "/admin/", "/", "/css/style.css", "/.well-known/openid-configuration"] {
        assert_eq!(gateway.get(OUTSIDE, target).status, 200, "{target}");
    }
    assert_eq!(gateway.get("198.51.100.66", "/oauth2/authorize").status, 403);
    assert_eq!(gateway.get("2001:db8:1::7", "/oauth2/authorize").status, 200);
    assert_eq!(gateway.get("::ffff:198.51.100.7", "/oauth2/authorize").status, 200);
    assert_eq!(gateway.get("unknown", "/oauth2/authorize").status, 403);
}

#[test]
fn an_answer_of_ours_says_its_length_over_http2_too() {
    let key = "bf69486b-4733-4470-a592-f1bfce7af580";
    let listed =
        format!("[[api_key]]\nname = \"ci\"\nsha256 = \"{}\"\nip_acl = \"office-only\"\n", hash(key));
    let (gateway, _upstream) = start(&format!("{TENANT}{listed}"));
    let lengths = |method: &'static str, target: &'static str| {
        let address = gateway.address();
        tokio::runtime::Runtime::new().unwrap().block_on(async move {
            let stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let (mut sender, connection) =
                http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            let request = http::Request::builder()
                .method(method)
                .uri(format!("http://{address}{target}"))
                .header("x-forwarded-for", OUTSIDE)
                .header("authorization", if target == "/api/user" { key } else { "" })
                .body(Empty::<Bytes>::new());
            let answer = sender.send_request(request.unwrap()).await.unwrap();
            let said = answer.headers()["content-length"].to_str().unwrap().parse::<usize>().unwrap();
            (said, answer.into_body().collect().await.unwrap().to_bytes().len())
        })
    };
    let blocked = gateway.get(OUTSIDE, "/oauth2/authorize");
    let length = blocked.body.len();
    assert_eq!(blocked.header("content-length"), Some(&*length.to_string()));
    let page = "/oauth2/authorize";
    assert_eq!((lengths("GET", page), lengths("HEAD", page)), ((length, length), (length, 0)));
    assert_eq!((lengths("GET", "/api/user"), lengths("HEAD", "/api/user")), ((0, 0), (0, 0)));
}

#[test]
fn a_blocked_page_is_html_for_browsers_and_json_for_others() {
    let (gateway, _upstream) = start(TENANT);
    let page = gateway.send(format!(
        "GET /oauth2/authorize HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {OUTSIDE}\r\n\
         Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n\r\n"
    ));
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.text().contains(OUTSIDE), "{}", page.text());
    let object = gateway.get(OUTSIDE, "/oauth2/authorize");
    assert_eq!(object.header("content-type"), Some("application/json"));
    let object: serde_json::Value = serde_json::from_slice(&object.body).unwrap();
    assert_eq!(object["error"], "access_denied");
    let head = gateway
        .send(format!("HEAD /oauth2/authorize HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {OUTSIDE}\r\n\r\n"));
    assert_eq!((head.status, head.body.len()), (403, 0));
}

#[test]
fn a_blocked_key_is_answered_like_an_invalid_one_and_an_unknown_key_passes() {
    let key = "bf69486b-4733-4470-a592-f1bfce7af580";
    let (gateway, upstream) =
        start(&format!("[[api_key]]\nname = \"ci\"\nsha256 = \"{}\"\nip_acl = \"office-only\"\n", hash(key)));
    let ask = |client: &str, authorization: &str| {
        gateway.send(format!(
            "GET /api/user HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {client}\r\nAuthorization: {authorization}\r\n\r\n"
        ))
    };
    let blocked = ask(OUTSIDE, key);
    assert_eq!((blocked.status, blocked.body.as_slice()), (401, &b""[..]));
    assert_eq!(blocked.header("content-length"), Some("0"));
    assert!(upstream.received().is_empty());
    assert_eq!(ask(INSIDE, key).status, 200);
    assert_eq!(upstream.last().header("authorization"), Some(key));
    assert_eq!(ask(OUTSIDE, "another-key").header("x-upstream"), Some("idp"));
    assert_eq!(ask("garbage", key).status, 401);
    // Basic, user `apikey`
    assert_eq!(
        ask(OUTSIDE, "Basic YXBpa2V5OmJmNjk0ODZiLTQ3MzMtNDQ3MC1hNTkyLWYxYmZjZTdhZjU4MA==").status,
        401
    );
}

#[test]
fn a_decoy_sends_a_random_key_of_the_same_shape() {
    let key = "bf69486b-4733-4470-a592-f1bfce7af580";
    let (gateway, upstream) = start(&format!(
        "{TENANT}[policy.blocked_api_key]\non_block = \"decoy\"\n\
         [[api_key]]\nname = \"ci\"\nsha256 = \"{}\"\nip_acl = \"office-only\"\n",
        hash(key)
    ));
    let ask = |target: &str| {
        gateway.send(format!(
            "GET {target} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {OUTSIDE}\r\nAuthorization: {key}\r\n\r\n"
        ))
    };
    assert_eq!(ask("/api/user").status, 200);
    let seen = upstream.last().header("authorization").unwrap().to_owned();
    assert_ne!(seen, key);
    assert_eq!(seen.len(), key.len());
    assert_eq!(seen.match_indices('-').map(|(at, _)| at).collect::<Vec<_>>(), [8, 13, 18, 23]);
    // A decoy opens nothing that an unknown key would not.
    assert_eq!(ask("/oauth2/authorize").status, 403);
    assert_eq!(upstream.received().len(), 1);
}

#[test]
fn a_token_for_a_restricted_audience_is_refused_and_others_pass() {
    let (gateway, upstream) = start(
        "[[resource_server]]\nidentifier = \"https://acme.example/api/v2/\"\nip_acl = \"office-only\"\n",
    );
    let form = |audience: &str| format!("grant_type=client_credentials&client_id=m2m&audience={audience}");
    let refused = gateway.post(OUTSIDE, "/oauth2/token", &form("https%3A%2F%2Facme.example%2Fapi%2Fv2%2F"));
    assert_eq!(refused.status, 400);
    assert_eq!(refused.header("cache-control"), Some("no-store"));
    let object: serde_json::Value = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!(
        object,
        serde_json::json!({"error": "invalid_request",
            "error_description": "Access from IP address 203.0.113.9 is not allowed."})
    );
    let other = form("https%3A%2F%2Facme.example%2Fapi%2Fv1%2F");
    assert_eq!(gateway.post(OUTSIDE, "/oauth2/token", &other).status, 200);
    assert_eq!(upstream.last().body, other.as_bytes(), "the inspected body is forwarded to the byte");
    let code = "grant_type=authorization_code&audience=https%3A%2F%2Facme.example%2Fapi%2Fv2%2F";
    assert_eq!(gateway.post(OUTSIDE, "/oauth2/token", code).status, 200);
    let allowed = form("https%3A%2F%2Facme.example%2Fapi%2Fv2%2F");
    assert_eq!(gateway.post(INSIDE, "/oauth/token", &allowed).status, 200);
}

#[test]
fn the_application_takes_precedence_over_its_tenant() {
    let open = "85a03867-dccf-4882-adde-1a79aeec50df";
    let closed = "11111111-dccf-4882-adde-1a79aeec50df";
    let (gateway, _upstream) = start(&format!(
        "{TENANT}[[application]]\nid = \"{open}\"\ntenant = \"acme\"\nip_acl = \"anywhere\"\n\
         [[application]]\nid = \"{closed}\"\ntenant = \"acme\"\n"
    ));
    let tenant = "d7d09513-a3f5-401c-9685-34ab6c552453";
    for (query, status) in [
        (format!("client_id={open}"), 200),
        (format!("client_id={open}&tenantId={tenant}"), 200),
        (format!("client_id={closed}"), 403),
        ("client_id=unlisted".to_owned(), 403),
        (String::new(), 403),
        (format!("client_id={open}&client_id=unlisted"), 403),
        (format!("client_id={open}&client_id={open}"), 200),
        (format!("client_id={open}&client_id={closed}"), 403),
        (format!("Client_Id={open}"), 403),
        (format!("tenantId={tenant}"), 403),
    ] {
        assert_eq!(gateway.get(OUTSIDE, &format!("/oauth2/authorize?{query}")).status, status, "{query}");
        assert_eq!(gateway.get(INSIDE, &format!("/oauth2/authorize?{query}")).status, 200, "{query}");
    }
    let named = format!("client_id={open}&grant_type=authorization_code");
    assert_eq!(gateway.post(OUTSIDE, "/oauth2/token", &named).status, 200);
    assert_eq!(gateway.post(OUTSIDE, "/oauth2/token", "grant_type=authorization_code").status, 403);
}

#[test]
fn path_rules_and_local_paths_are_closed() {
    let (gateway, _upstream) = start("[[path]]\nprefix = \"/api/v2/\"\nip_acl = \"office-only\"\n");
    for target in
        ["/api/v2/users", "/API/V2/users", "/api//v2/users", "/api/%76%32/", "/x/..;/api/v2/", "/api/v2"]
    {
        assert_eq!(gateway.get(OUTSIDE, target).status, 403, "{target}");
        assert_eq!(gateway.get(INSIDE, target).status, 200, "{target}");
    }
    assert_eq!(gateway.get(OUTSIDE, "/api/v1/users").status, 200);
    for target in ["/api/status", "/api/prometheus/metrics"] {
        assert_eq!(gateway.get(OUTSIDE, target).status, 404, "{target}");
        assert_eq!(gateway.get("127.0.0.1", target).status, 200, "{target}");
    }
}

#[test]
fn report_mode_lets_through() {
    let (gateway, _upstream) = start(&TENANT.replace("ip_acl =", "mode = \"report\"\nip_acl ="));
    assert_eq!(gateway.get(OUTSIDE, "/oauth2/authorize").status, 200);
}
