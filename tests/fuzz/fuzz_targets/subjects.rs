//! What bodies and tokens name, beside readers of other makes.
//!
//! Where `form_urlencoded`, `serde_json`, `multer` or a plain JWT reader finds the closed application, or the closed
//! resource server, the request is blocked or refused. Where the default tenant is closed, nothing opens it but a POSTed
//! form whose every `client_id` is the open application.
#![no_main]

use aclgate::config::{Loaded, load};
use aclgate::policy::NoFiles;
use aclgate::policy::decide::{Effect, decide};
use aclgate::policy::moment::Moment;
use aclgate::policy::uuid::lenient_uuid;
use aclgate::request::RequestHead;
use aclgate::request::facts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_executor::block_on;
use futures_util::stream;
use http::Request;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use std::convert::Infallible;
use std::sync::LazyLock;

const OPEN: &str = "85a03867-dccf-4882-adde-1a79aeec50df";
const CLOSED: &str = "3c219e58-ed0e-4b18-ad48-f4f92793ae32";
const API: &str = "https://acme.example/api/v2/";
const BASE: &str = r#"
server.listen = ["127.0.0.1:1"]
upstream.url = "http://127.0.0.1:2"
ip_acl = [{ name = "nobody", default = "block" }]
application = [
  { id = "85a03867-dccf-4882-adde-1a79aeec50df" },
  { id = "3c219e58-ed0e-4b18-ad48-f4f92793ae32", ip_acl = "nobody" },
]
"#;

/// The default tenant is open, an application and a resource server are closed.
static CLOSING: LazyLock<Loaded> = LazyLock::new(|| {
    policy("resource_server = [{ identifier = 'https://acme.example/api/v2/', ip_acl = 'nobody' }]")
});
/// The default tenant is closed, an application is open.
static OPENING: LazyLock<Loaded> = LazyLock::new(|| {
    policy(
        "tenant = [{ id = 'd7d09513-a3f5-401c-9685-34ab6c552453', name = 'acme', default = true, ip_acl = 'nobody' }]",
    )
});

fn policy(more: &str) -> Loaded {
    let outcome = load(&format!("{BASE}{more}\n"), "fuzz.toml", &NoFiles, Moment::FIRST);
    outcome.loaded.unwrap_or_else(|| panic!("{:?}", outcome.findings))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Urlencoded,
    Json,
    Multipart,
    Token,
}

/// Whether the request may pass; what is refused may not.
fn passes(loaded: &Loaded, (method, path): (&str, &str), form: Form, body: &[u8]) -> bool {
    let content_type = match form {
        Form::Urlencoded => "application/x-www-form-urlencoded",
        Form::Json => "application/json",
        Form::Multipart => "multipart/form-data; boundary=B",
        Form::Token => "",
    };
    let mut request = Request::builder().method(method).uri(path);
    if form == Form::Token {
        request = request.header("authorization", [b"Bearer ", body].concat());
    } else {
        request = request.header("content-type", content_type);
    }
    let Ok(request) = request.body(()) else { return false };
    let request = RequestHead::from(request.into_parts().0);
    let client = Some("203.0.113.9".parse().unwrap());
    let mut facts = facts::gather(&loaded.policy, &request, client).expect("a plain target");
    if form != Form::Token && facts::add_body(&loaded.policy, &mut facts, &request, body).is_err() {
        return false;
    }
    decide(&loaded.policy, &facts, |_| {}).effect == Effect::Allow
}

/// Names and texts as other readers find them; arrays stand for their members.
fn pairs(form: Form, body: &[u8]) -> Vec<(String, String)> {
    match form {
        Form::Urlencoded => form_urlencoded::parse(body).into_owned().collect(),
        Form::Json => serde_json::from_slice(body).map(|value| members(&value)).unwrap_or_default(),
        Form::Multipart => block_on(parts(body)),
        Form::Token => {
            let payload = std::str::from_utf8(body).ok().and_then(|text| text.split('.').nth(1));
            let payload = payload.and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok());
            let value = payload.and_then(|payload| serde_json::from_slice(&payload).ok());
            value.map(|value| members(&value)).unwrap_or_default()
        }
    }
}

fn members(value: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::String(text) => found.push((name.clone(), text.clone())),
            Value::Array(values) => {
                found.extend(
                    values.iter().filter_map(Value::as_str).map(|text| (name.clone(), text.to_owned())),
                );
            }
            _ => {}
        }
    }
    found
}

async fn parts(body: &[u8]) -> Vec<(String, String)> {
    let piece = bytes::Bytes::copy_from_slice(body);
    let mut reader = multer::Multipart::new(stream::once(async { Ok::<_, Infallible>(piece) }), "B");
    let mut found = Vec::new();
    while let Ok(Some(field)) = reader.next_field().await {
        let name = field.name().map(str::to_owned);
        if let (Some(name), Ok(text)) = (name, field.text().await) {
            found.push((name, text));
        }
    }
    found
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, body)) = bytes.split_first() else { return };
    let form = [Form::Urlencoded, Form::Json, Form::Multipart, Form::Token][usize::from(*choice & 3)];
    let method = if choice & 4 == 0 { "POST" } else { "PUT" };
    let found = pairs(form, body);
    let names = |wanted: &str, value: &str| found.iter().any(|(name, text)| name == wanted && text == value);

    let client = if form == Form::Token { "aud" } else { "client_id" };
    let passed = passes(&CLOSING, (method, "/oauth2/authorize"), form, body);
    assert!(!(passed && names(client, CLOSED)), "{method} {form:?} {}", body.escape_ascii());
    let asks = ["audience", "resource"].iter().any(|name| names(name, API));
    if form != Form::Token && asks && names("grant_type", "client_credentials") {
        let passed = passes(&CLOSING, (method, "/oauth2/token"), form, body);
        assert!(!passed, "{method} {form:?} {}", body.escape_ascii());
    }

    if passes(&OPENING, (method, "/oauth2/authorize"), form, body) {
        let open = lenient_uuid(OPEN);
        let mut ids =
            found.iter().filter(|(name, _)| name == "client_id").map(|(_, text)| lenient_uuid(text));
        let right = form == Form::Urlencoded && method == "POST";
        assert!(right && ids.next() == Some(open), "{method} {form:?} {}", body.escape_ascii());
        assert!(ids.all(|id| id == open), "{method} {form:?} {}", body.escape_ascii());
    }
});
