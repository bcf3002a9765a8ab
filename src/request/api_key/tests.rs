//! One line a form of the key; the decoy keeps every form.

use super::*;
use crate::request::fixture::{KEY, policy_with};
use ::base64::engine::GeneralPurpose;

fn sources(raw: bool, basic: bool, bearer: bool, headers: &[&str]) -> ApiKeySources {
    ApiKeySources {
        raw_authorization: raw,
        basic_user: basic.then(|| "apikey".into()),
        bearer,
        headers: headers.iter().map(|name| (*name).into()).collect(),
    }
}

fn everything() -> Policy {
    policy_with(|parts| parts.rules.api_key_sources = sources(true, true, true, &["x-api-key"]))
}

fn fields(lines: &[(&str, &str)]) -> Fields {
    let mut fields = Fields::default();
    lines.iter().for_each(|(name, value)| fields.append(name, value.as_bytes()));
    fields
}

fn value<'f>(fields: &'f Fields, name: &str) -> &'f str {
    std::str::from_utf8(fields.named(name).next().unwrap()).unwrap()
}

fn basic(engine: &GeneralPurpose, credentials: &str) -> String {
    engine.encode(credentials)
}

fn forms() -> Vec<(&'static str, String)> {
    let std = basic(&STANDARD, &format!("apikey:{KEY}"));
    let (front, back) = std.split_at(7);
    vec![
        ("authorization", KEY.to_owned()),
        ("authorization", format!("  {KEY} ")),
        ("authorization", format!("Bearer {KEY}")),
        ("authorization", format!("bEARER   {KEY} ")),
        ("authorization", format!("Bearer {KEY} x")),
        ("authorization", format!("Basic {std}")),
        ("authorization", format!("basic  {std} ")),
        ("authorization", format!("BASIC {}", std.trim_end_matches('='))),
        ("authorization", format!("Basic {}", basic(&URL_SAFE, &format!("apikey:{KEY}")))),
        ("authorization", format!("Basic {}", basic(&STANDARD, &format!("APIKEY:{KEY}")))),
        ("authorization", format!("Basic {}", basic(&STANDARD, &format!("apikey: {KEY} ")))),
        ("authorization", format!("Basic {front} {back}")),
        ("authorization", format!("Basic {front}!{back}")),
        ("x-api-key", KEY.to_owned()),
        ("x-api-key", format!(" {KEY}\t")),
    ]
}

#[test]
fn finds_the_key_in_every_form() {
    let policy = everything();
    for (name, value) in forms() {
        let found = listed(&policy, &fields(&[(name, &value)]));
        assert_eq!(found.len(), 1, "{name}: {value}");
    }
}

#[test]
fn finds_none_where_it_is_not_configured_or_not_known() {
    let bare = |sources| policy_with(|parts| parts.rules.api_key_sources = sources);
    let basic = format!("Basic {}", basic(&STANDARD, &format!("apikey:{KEY}")));
    let cases: [(Policy, &str, String); 9] = [
        (bare(sources(false, true, true, &["x-api-key"])), "authorization", KEY.into()),
        (bare(sources(true, false, true, &["x-api-key"])), "authorization", basic),
        (bare(sources(true, true, false, &["x-api-key"])), "authorization", format!("Bearer {KEY}")),
        (bare(sources(true, true, true, &[])), "x-api-key", KEY.into()),
        (everything(), "authorization", format!("{KEY}x")),
        (everything(), "authorization", format!("Token {KEY}")),
        (everything(), "authorization", format!("Basic {}", STANDARD.encode(format!("other:{KEY}")))),
        (everything(), "authorization", format!("Basic {}", STANDARD.encode(KEY))),
        (everything(), "authorization", String::new()),
    ];
    for (policy, name, value) in cases {
        assert!(listed(&policy, &fields(&[(name, &value)])).is_empty(), "{name}: {value}");
    }
}

#[test]
fn finds_each_key_once_on_any_line() {
    let headers = fields(&[("authorization", KEY), ("x-api-key", "x"), ("x-api-key", KEY)]);
    assert_eq!(listed(&everything(), &headers).len(), 1);
}

#[test]
fn a_header_named_authorization_is_the_raw_one() {
    let policy =
        policy_with(|parts| parts.rules.api_key_sources = sources(false, false, false, &["authorization"]));
    assert_eq!(listed(&policy, &fields(&[("authorization", KEY)])).len(), 1);
    let mut headers = fields(&[("authorization", KEY)]);
    disguise(&mut headers, &policy).unwrap();
    assert!(listed(&policy, &headers).is_empty());
}

#[test]
fn the_decoy_leaves_no_listed_key_and_nothing_else_changed() {
    let policy = everything();
    for (name, sent) in forms() {
        let mut headers = fields(&[(name, &sent), ("x-other", KEY), ("accept", "*/*")]);
        disguise(&mut headers, &policy).unwrap();
        assert!(listed(&policy, &headers).is_empty(), "{name}: {sent}");
        assert_eq!(value(&headers, "x-other"), KEY);
        assert_eq!(value(&headers, "accept"), "*/*");
        assert_eq!(headers.len(), 3);
        let disguised = value(&headers, name);
        assert_ne!(disguised, sent);
        assert!(disguised.trim().len().abs_diff(sent.trim().len()) <= 1, "{sent} {disguised}");
        let scheme = |value: &str| value.trim().split_once(' ').map(|(scheme, _)| scheme.to_owned());
        assert_eq!(scheme(disguised), scheme(&sent));
    }
}

#[test]
fn the_decoy_keeps_the_form_of_basic() {
    let policy = everything();
    for (engine, text) in [(&STANDARD, "apikey:"), (&STANDARD_NO_PAD, "apikey:"), (&STANDARD, "APIkey:")] {
        let mut headers =
            fields(&[("authorization", &format!("Basic {}", engine.encode(format!("{text}{KEY}"))))]);
        disguise(&mut headers, &policy).unwrap();
        let value = value(&headers, "authorization").strip_prefix("Basic ").unwrap().to_owned();
        let plain = engine.decode(value).unwrap();
        assert!(plain.starts_with(text.as_bytes()));
        assert_eq!(plain.len(), text.len() + KEY.len());
    }
}

#[test]
fn requests_without_a_listed_key_are_untouched() {
    let policy = everything();
    let before = fields(&[("authorization", "Bearer abc"), ("x-api-key", "def"), ("cookie", KEY)]);
    let mut after = before.clone();
    disguise(&mut after, &policy).unwrap();
    assert!(before.iter().eq(after.iter()));
}

#[test]
fn a_rehearsal_sees_keys_and_changes_nothing() {
    for (name, value, expected) in [
        ("authorization", "0d4b9a7e-1f6c-4a58-9d0e-5c1f2b3a4d5e", true),
        ("authorization", "Basic YXBpa2V5OnNlY3JldA==", true),
        ("authorization", KEY, true),
        ("authorization", "", false),
        ("x-other", "0d4b9a7e", false),
    ] {
        let fields = fields(&[(name, value)]);
        assert_eq!(rehearse(&fields, &everything()), expected, "{name}: {value}");
        assert_eq!(self::value(&fields, name), value);
    }
}
