//! What questions are about, and which of them are refused.

use super::*;
use crate::request::FieldName;
use http::{HeaderValue, Request};

fn headers(uri: &str, method: &str, host: &str) -> Original {
    Original::Headers { uri: uri.into(), method: method.into(), host: host.into() }
}

fn nginx() -> Original {
    headers("x-original-uri", "x-original-method", "x-original-host")
}

/// `METHOD host target`, or why not.
fn asked(original: &Original, target: &str, fields: &[(&str, &str)]) -> Result<String, Doubt> {
    let mut request = Request::builder().method("GET").uri(target).header("host", "decisions.internal");
    for (name, value) in fields {
        request = request.header(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let (question, ()) = request.body(()).unwrap().into_parts();
    let request = read(original, question.into())?;
    let hosts: Vec<_> = request.fields.all(FieldName::Host).map(String::from_utf8_lossy).collect();
    assert_eq!(hosts.len(), 1);
    assert!(request.target.authority().is_none());
    Ok(format!("{} {} {}", request.method, hosts[0], request.target))
}

/// A question of nginx with one field changed, or taken away where the value is empty.
fn nginx_with(name: &str, value: &str) -> Result<String, Doubt> {
    let mut fields = vec![
        ("x-original-uri", "/oauth2/token?a=b"),
        ("x-original-method", "POST"),
        ("x-original-host", "id.example"),
    ];
    fields.retain(|(known, _)| *known != name);
    if !value.is_empty() {
        fields.push((name, value));
    }
    asked(&nginx(), "/ask", &fields)
}

#[test]
fn the_original_stands_in_the_named_fields() {
    assert_eq!(nginx_with("x", "y").unwrap(), "POST id.example /oauth2/token?a=b");
    let cases = [
        ("x-original-uri", "/", "POST id.example /"),
        ("x-original-uri", "//a/%2e%2E/;x?y=%00", "POST id.example //a/%2e%2E/;x?y=%00"),
        ("x-original-uri", "*", "POST id.example *"),
        ("x-original-uri", "https://id.example/a?b", "POST id.example /a?b"),
        ("x-original-uri", "HTTP://ID.example/a", "POST ID.example /a"),
        ("x-original-method", "QUERY", "QUERY id.example /oauth2/token?a=b"),
    ];
    for (name, value, expected) in cases {
        assert_eq!(nginx_with(name, value).as_deref(), Ok(expected), "{value}");
    }
}

#[test]
fn an_absolute_target_may_name_the_host_alone() {
    let fields = [("x-original-url", "https://id.example:8443/a"), ("x-original-method", "GET")];
    let original = headers("x-original-url", "x-original-method", "x-original-host");
    assert_eq!(asked(&original, "/", &fields).unwrap(), "GET id.example:8443 /a");
}

#[test]
fn missing_and_malformed_facts_are_refused() {
    let missing = |name: &str| Err(Doubt::Missing(name.into()));
    for name in ["x-original-uri", "x-original-method", "x-original-host"] {
        assert_eq!(nginx_with(name, ""), missing(name));
    }
    for target in [
        "oauth2",
        "?a",
        "/a#b",
        "/a b",
        "/\u{e9}",
        "https://id.example",
        "ftp://id.example/",
        "**",
        "https://other.example/",
    ] {
        assert!(matches!(nginx_with("x-original-uri", target), Err(Doubt::Malformed(_))), "{target}");
    }
    assert_eq!(nginx_with("x-original-method", "G T"), Err(Doubt::Malformed("method")));
}

#[test]
fn repeated_facts_are_refused_even_where_they_agree() {
    for (name, value) in
        [("x-original-uri", "/a"), ("x-original-method", "GET"), ("x-original-host", "id.example")]
    {
        let mut fields =
            vec![("x-original-uri", "/a"), ("x-original-method", "GET"), ("x-original-host", "id.example")];
        fields.push((name, value));
        assert_eq!(asked(&nginx(), "/", &fields), Err(Doubt::Repeated(name.into())));
    }
}

#[test]
fn facts_in_other_fields_must_agree() {
    let cases = [
        ("x-forwarded-uri", "/oauth2/token?a=b", true),
        ("x-forwarded-uri", "/harmless", false),
        ("x-forwarded-uri", "", true),
        ("x-original-url", "https://whatever.example/oauth2/token?a=b", true),
        ("x-original-url", "https://id.example/oauth2/token", false),
        ("x-original-url", "nonsense", false),
        ("x-forwarded-method", "POST", true),
        ("x-forwarded-method", "GET", false),
        ("x-forwarded-method", "post", false),
    ];
    for (name, value, agrees) in cases {
        assert_eq!(nginx_with(name, value).is_ok(), agrees, "{name}: {value}");
    }
    let twice = [
        ("x-original-uri", "/a"),
        ("x-original-method", "GET"),
        ("x-original-host", "id.example"),
        ("x-forwarded-uri", "/a"),
        ("x-forwarded-uri", "/b"),
    ];
    assert_eq!(asked(&nginx(), "/", &twice), Err(Doubt::Disagrees("x-forwarded-uri")));
}

#[test]
fn envoy_asks_with_the_original_itself() {
    let envoy = |prefix: &str| Original::Itself { path_prefix: prefix.into() };
    let cases = [
        ("/decide", "/decide/oauth2/token?a", Ok("GET decisions.internal /oauth2/token?a")),
        ("/decide", "/decide/decide/", Ok("GET decisions.internal /decide/")),
        ("/decide", "/decide//%2e%2e/a", Ok("GET decisions.internal //%2e%2e/a")),
        ("", "/a?b", Ok("GET decisions.internal /a?b")),
        ("/decide", "/decide", Err(Doubt::Malformed("target"))),
        ("/decide", "/decide?a", Err(Doubt::Malformed("target"))),
        ("/decide", "/decided/a", Err(Doubt::Malformed("target"))),
        ("/decide", "/oauth2/token", Err(Doubt::NotBelow)),
        ("/decide", "/DECIDE/a", Err(Doubt::NotBelow)),
    ];
    for (prefix, target, expected) in cases {
        assert_eq!(asked(&envoy(prefix), target, &[]), expected.map(str::to_owned), "{target}");
    }
    let spoofed = asked(&envoy(""), "/a", &[("x-original-uri", "/b")]);
    assert_eq!(spoofed, Err(Doubt::Disagrees("x-original-uri")));
}
