//! A recorded request, put to another policy, against the request itself put to it.

use super::*;
use crate::config::answers::Answers;
use crate::policy::PolicyParts;
use crate::policy::moment::Moment;
use crate::request::fixture::{
    API, CLOSED_APP, CLOSED_TENANT, ENTITY, KEY, OPEN_APP, OPEN_TENANT, TEXT_APP, acl, policy, policy_with,
};
use http::Request;
use proptest::prelude::*;
use proptest::sample::select;
use std::sync::Arc;

const CLIENT: &str = "192.0.2.1";
const FORM: &str = "application/x-www-form-urlencoded";

fn answers() -> Answers {
    let text = "[upstream]\nurl = \"http://127.0.0.1:1\"\n";
    let loaded = crate::config::load(text, "a", &crate::policy::NoFiles, Moment::FIRST);
    loaded.loaded.unwrap().config.answers
}

/// A request with a form, if it has a body.
fn request(target: &str, fields: &[(&str, &str)], body: &str) -> RequestHead {
    let method = if body.is_empty() { "GET" } else { "POST" };
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    if !body.is_empty() {
        request = request.header("content-type", FORM);
    }
    request.body(()).unwrap().into_parts().0.into()
}

/// What a policy makes of a request, and the line that its gateway writes.
fn direct(policy: &Policy, parts: &RequestHead, body: &str) -> Option<(Effect, Record)> {
    let client = Some(CLIENT.parse().unwrap());
    let mut facts = facts::gather(policy, parts, client).ok()?;
    let mut heard = if body.is_empty() { Body::None } else { Body::Unheard };
    if !body.is_empty() && facts::needs_body(policy, &facts, &answers()) {
        facts::add_body(policy, &mut facts, parts, body.as_bytes()).ok()?;
        heard = Body::Heard(body.as_bytes());
    }
    let effect = decide::decide(policy, &facts, |_| {}).effect;
    Some((effect, Record::of(policy, parts, &facts, heard)))
}

fn replayed(policy: &Policy, record: &Record, parts: &RequestHead) -> Result<Effect, Unknown> {
    let answers = answers();
    let asked = (Some(CLIENT.parse().unwrap()), parts.target.path());
    Replay::new(policy, &answers).decide(record, asked, |decision| decision.effect)
}

/// Nothing listed but what `keep` leaves.
fn policy_without(drop: &[&str]) -> Policy {
    policy_with(|parts| {
        let keep = |id: &str| !drop.contains(&id);
        parts.applications.retain(|known| keep(&known.id));
        parts.tenants.retain(|known| keep(&known.id));
        parts.resource_servers.retain(|known| keep(&known.identifier));
        parts.api_keys.retain(|_| keep("key"));
    })
}

fn everything() -> Vec<&'static str> {
    vec![OPEN_APP, CLOSED_APP, TEXT_APP, OPEN_TENANT, CLOSED_TENANT, API, ENTITY, "urn:acme:x", "key"]
}

#[test]
fn what_nobody_listed_is_found_again() {
    let old = policy_without(&everything());
    let new = policy();
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], Effect);
    let cases: &[Case<'_>] = &[
        ("/oauth2/authorize?client_id=3c219e58-ed0e-4b18-ad48-f4f92793ae32", &[], Effect::Block),
        ("/oauth2/authorize?client_id=85a03867-dccf-4882-adde-1a79aeec50df", &[], Effect::Allow),
        ("/oauth2/authorize?client_id=somebody", &[], Effect::Block),
        ("/oauth2/authorize?client_id=Portal", &[], Effect::Block),
        ("/oauth2/authorize?tenantId=d7d09513-a3f5-401c-9685-34ab6c552453", &[], Effect::Allow),
        ("/realms/open/x", &[], Effect::Allow),
        ("/realms/closed/x", &[], Effect::Block),
        ("/oauth2/authorize", &[("host", "open.example")], Effect::Allow),
        ("/api/user", &[("x-unrelated", "1")], Effect::Allow),
        (
            "/oauth2/authorize",
            &[("x-fusionauth-tenantid", "d7d09513-a3f5-401c-9685-34ab6c552453")],
            Effect::Allow,
        ),
    ];
    for (target, fields, effect) in cases {
        let parts = request(target, fields, "");
        let (_, record) = direct(&old, &parts, "").unwrap();
        let record: Record = record.to_string().parse().unwrap();
        assert_eq!(replayed(&new, &record, &parts), Ok(*effect), "{target} {fields:?}\n{record}");
    }
}

#[test]
fn nothing_can_be_read_off_a_line() {
    let secrets = ["Portal", "SECRET", "85a03867", "client-of-mine", KEY];
    let parts = request(
        "/oauth2/token?client_id=Portal&state=SECRET",
        &[("authorization", KEY), ("cookie", "SECRET")],
        "client_id=client-of-mine&client_secret=SECRET&audience=https://SECRET/",
    );
    let policy = policy_without(&["key"]);
    let body = "client_id=client-of-mine&client_secret=SECRET";
    let facts = facts::gather(&policy, &parts, Some(CLIENT.parse().unwrap())).unwrap();
    let line = Record::of(&policy, &parts, &facts, Body::Heard(body.as_bytes())).to_string();
    for secret in secrets {
        assert!(!line.contains(secret), "{secret} in {line}");
    }
    assert!(line.ends_with(" key=?") && line.contains(" body=id,an"), "{line}");
}

#[test]
fn what_is_not_known_is_said() {
    let old = policy_without(&everything());
    let parts = request("/oauth2/authorize", &[], "client_id=SECRET");
    let (_, record) = direct(&old, &parts, "client_id=SECRET").unwrap();
    assert_eq!(replayed(&policy(), &record, &parts), Err(Unknown::Body));

    let parts = request("/api/user", &[("authorization", "some-key")], "");
    let (_, record) = direct(&old, &parts, "").unwrap();
    assert_eq!(replayed(&policy(), &record, &parts), Err(Unknown::Key));
    assert_eq!(replayed(&policy_without(&["key"]), &record, &parts), Ok(Effect::Allow));
    let harmless = policy_with(|parts| {
        for key in &mut parts.api_keys {
            key.assignment.as_mut().unwrap().acl = acl(Action::Allow);
        }
    });
    assert_eq!(replayed(&harmless, &record, &parts), Ok(Effect::Allow));

    let other = policy_with(|parts| parts.rules.tenant_headers.push("x-realm".into()));
    assert_eq!(replayed(&other, &record, &parts), Err(Unknown::Settings));

    let many: Vec<_> = (0..100).map(|number| format!("client_id={number}")).collect();
    let parts = request(&format!("/oauth2/authorize?{}", many.join("&")), &[], "");
    let (_, record) = direct(&old, &parts, "").unwrap();
    assert_eq!(replayed(&policy(), &record, &parts), Err(Unknown::Cut));
}

#[test]
fn what_is_no_record_is_refused() {
    for text in [
        "",
        "1",
        "2 GET head=-",
        "1 GET head=zz",
        "1 GET head=an12",
        "1 GET head=an0123456789abcdé",
        "1 G\"T head=-",
        "1 GET other=1",
        "1 GET key=SECRET",
        "1 GET set=xyz",
    ] {
        assert_eq!(text.parse::<Record>(), Err(RecordError), "{text}");
    }
}

/// A text that may stand for an id.
fn value() -> impl Strategy<Value = String> {
    const IDS: &[&str] = &[
        OPEN_APP,
        CLOSED_APP,
        TEXT_APP,
        OPEN_TENANT,
        CLOSED_TENANT,
        API,
        ENTITY,
        "urn:acme:x",
        "other",
        "092dbded30af41499c61b578f2c72f59",
        "85a03867dccf4882adde1a79aeec50df",
    ];
    const SHAPES: &[&str] = &[
        "{}",
        "{}",
        "{}",
        "%20{}",
        "{}%00x",
        "a;{}",
        "{}%2Cb",
        "target-entity:{}:read",
        "urn:uuid:{}",
        "0{}",
        "%2570{}",
    ];
    (select(IDS), select(SHAPES), any::<bool>()).prop_map(|(id, shape, upper)| {
        let id = if upper { id.to_uppercase() } else { id.to_owned() };
        shape.replace("{}", &id)
    })
}

fn pairs() -> impl Strategy<Value = String> {
    const NAMES: &[&str] =
        &["client_id", "tenantId", "Client_ID", "audience", "resource", "scope", "x;client_id", "state"];
    let pair = (select(NAMES), value()).prop_map(|(name, value)| format!("{name}={value}"));
    proptest::collection::vec(pair, 0..4).prop_map(|pairs| pairs.join("&"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn a_replay_is_the_decision_or_says_why_not(
        path in select(&["/oauth2/authorize", "/oauth2/token", "/realms/open/x", "/realms/CLOSED/x", "/api/x", "/x"][..]),
        query in pairs(),
        form in pairs(),
        key in select(&[None, Some(KEY), Some("unknown-key"), Some("Basic Y2xpZW50OnNlY3JldA==")][..]),
        host in select(&["open.example", "closed.example:8443", "x"][..]),
        dropped in proptest::collection::vec(select(everything()), 0..9),
    ) {
        let body = if form.is_empty() { String::new() } else { format!("grant_type=client_credentials&{form}") };
        let mut fields = vec![("host", host)];
        fields.extend(key.map(|key| ("authorization", key)));
        let parts = request(&format!("{path}?{query}"), &fields, &body);
        let (old, new) = (policy_without(&dropped), policy());
        let (Some((_, record)), Some((now, _))) = (direct(&old, &parts, &body), direct(&new, &parts, &body)) else {
            return Ok(());
        };
        let record: Record = record.to_string().parse().unwrap();
        match replayed(&new, &record, &parts) {
            Ok(effect) => prop_assert_eq!(effect, now, "{}", record),
            Err(Unknown::Body) => prop_assert!(!body.is_empty()),
            Err(Unknown::Key) => prop_assert!(key.is_some() && dropped.contains(&"key")),
            Err(other) => prop_assert!(false, "{other}"),
        }
        // And the other way: what is no longer listed.
        let (Some((_, record)), Some((then, _))) = (direct(&new, &parts, &body), direct(&old, &parts, &body)) else {
            return Ok(());
        };
        if let Ok(effect) = replayed(&old, &record, &parts) {
            prop_assert_eq!(effect, then, "{}", record);
        }
    }
}

#[test]
fn a_key_set_is_known_by_its_ids() {
    let twice = policy_with(|parts: &mut PolicyParts| {
        let mut second = parts.api_keys[0].clone();
        second.id = Uuid::from_u128(7);
        second.name = Arc::from("second");
        second.hash = crate::policy::subject::ApiKeyHash::of(b"second");
        parts.api_keys.push(second);
    });
    assert_ne!(twice.api_key_set(), policy().api_key_set());
    let parts = request("/api/user", &[("authorization", "some-key")], "");
    let (_, record) = direct(&twice, &parts, "").unwrap();
    assert_eq!(replayed(&twice, &record, &parts), Ok(Effect::Allow), "no other key was listed");
}
