//! Facts as the decision needs them.

use super::*;
use crate::policy::decide::{Effect, decide};
use crate::request::fixture::{CLOSED_APP, KEY, OPEN_APP, OPEN_TENANT, policy, policy_with};
use http::Request;

fn parts(target: &str, authorization: Option<&str>) -> RequestHead {
    let mut request = Request::builder().uri(target).header("host", "x.example");
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    request.body(()).unwrap().into_parts().0.into()
}

#[test]
fn ordinary_links() {
    let policy = policy();
    let client = Some("::ffff:192.0.2.1".parse().unwrap());
    for (target, effect) in [
        (format!("/oauth2/authorize?client_id={OPEN_APP}&tenantId={OPEN_TENANT}"), Effect::Allow),
        (format!("/oauth2/authorize?client_id={CLOSED_APP}"), Effect::Block),
        ("/oauth2/authorize".into(), Effect::Block),
        (format!("/oauth2/authorize?tenantId={OPEN_TENANT}"), Effect::Allow),
        ("/favicon.ico".into(), Effect::Allow),
    ] {
        let parts = parts(&target, None);
        let facts = gather(&policy, &parts, client).unwrap();
        assert_eq!(facts.client, Some("192.0.2.1".parse().unwrap()));
        assert_eq!(decide(&policy, &facts, |_| {}).effect, effect, "{target}");
    }
}

#[test]
fn subjects_are_looked_for_only_where_they_matter() {
    let policy = policy();
    let elsewhere = parts(&format!("/favicon.ico?client_id={OPEN_APP}"), None);
    assert!(!gather(&policy, &elsewhere, None).unwrap().subjects.names_client_id);
    let here = parts(&format!("/oauth2/authorize?client_id={OPEN_APP}"), None);
    assert!(gather(&policy, &here, None).unwrap().subjects.names_client_id);
    let nobody = policy_with(|parts| {
        parts.tenants.clear();
        parts.applications.clear();
    });
    assert!(!gather(&nobody, &here, None).unwrap().subjects.names_client_id);
}

#[test]
fn keys_are_tested_on_every_path() {
    let policy = policy();
    let parts = parts("/favicon.ico", Some(KEY));
    let facts = gather(&policy, &parts, Some("192.0.2.1".parse().unwrap())).unwrap();
    assert_eq!(facts.api_keys.len(), 1);
    assert_eq!(decide(&policy, &facts, |_| {}).effect, Effect::Block);
}

#[test]
fn a_target_without_a_path_is_refused() {
    assert!(gather(&policy(), &parts("a.example:80", None), None).is_err());
}
