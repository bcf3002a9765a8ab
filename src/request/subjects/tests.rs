//! The matrix of places and spellings, and the invariant that a hint never opens a door.

use super::*;
use crate::policy::decide::{Effect, decide};
use crate::policy::facts::SubjectFacts;
use crate::policy::path::PathReadings;
use crate::request::fixture::{
    API, CLOSED_APP, CLOSED_TENANT, ENTITY, OPEN_APP, OPEN_TENANT, TEXT_APP, policy, policy_with,
};
use ::base64::Engine;
use ::base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use http::Request;
use proptest::prelude::*;

const FORM: &str = "application/x-www-form-urlencoded";

fn head(method: &str, target: &str, fields: &[(&str, &str)]) -> RequestHead {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0.into()
}

fn empty<'a>(parts: &'a RequestHead) -> RequestFacts<'a> {
    RequestFacts {
        client: Some("192.0.2.1".parse().unwrap()),
        api_keys: SmallVec::new(),
        path: PathReadings::of(parts.target.path_and_query().unwrap()),
        subjects: SubjectFacts::default(),
    }
}

/// Facts in short: `+open -closed ?` for naming, hints, and whether a `client_id` is there by name.
fn short(facts: &SubjectFacts<'_>) -> String {
    let name = |id: &str| match id {
        OPEN_APP => "open".to_owned(),
        CLOSED_APP => "closed".to_owned(),
        OPEN_TENANT => "Topen".to_owned(),
        CLOSED_TENANT => "Tclosed".to_owned(),
        other => other.to_owned(),
    };
    let mut words = Vec::new();
    for (sign, place) in [('+', &facts.naming), ('-', &facts.hints)] {
        words.extend(place.applications.listed().map(|found| format!("{sign}{}", name(&found.id))));
        words.extend((!place.applications.all_listed()).then(|| format!("{sign}other")));
        words.extend(place.tenants.listed().map(|found| format!("{sign}{}", name(&found.id))));
        words.extend((!place.tenants.all_listed()).then(|| format!("{sign}Tother")));
    }
    words.extend(facts.names_client_id.then(|| "?".to_owned()));
    words.extend(facts.client_credentials.then(|| "cc".to_owned()));
    words.extend(facts.resource_servers.iter().map(|server| format!("@{}", name(&server.identifier))));
    words.join(" ")
}

fn from_head_of(policy: &Policy, parts: &RequestHead) -> String {
    let mut facts = empty(parts);
    from_head(policy, &mut facts, parts);
    short(&facts.subjects)
}

fn query(text: &str) -> String {
    let text = text.replace("OPEN", OPEN_APP).replace("CLOSED", CLOSED_APP).replace("TENANT", OPEN_TENANT);
    from_head_of(&policy(), &head("GET", &format!("/oauth2/authorize?{text}"), &[]))
}

#[test]
fn a_query_that_may_begin_elsewhere_opens_nothing() {
    let query = format!("client_id={OPEN_APP}&tenantId={OPEN_TENANT}");
    for (path, sure) in [
        ("/oauth2/authorize", true),
        ("/oauth2/auth%6Frize", true),
        ("/oauth2/authorize%2e", true),
        ("/oauth2/authorize;", false),
        ("/oauth2/;a=b/authorize", false),
        ("/oauth2;/authorize", false),
        ("/oauth2/authorize%3b", false),
        ("/oauth2/authorize%3F", false),
        ("/oauth2/authorize%23", false),
        ("/oauth2/authorize%253Bx", false),
        ("/oauth2/authorize%u003b", false),
    ] {
        let expected = if sure { "+open +Topen ?" } else { "-open -Topen ?" };
        let parts = head("GET", &format!("{path}?{query}"), &[]);
        assert_eq!(from_head_of(&policy(), &parts), expected, "{path}");
        let parts = head("GET", &format!("{path}?client_id=unlisted"), &[]);
        assert_eq!(from_head_of(&policy(), &parts), "+other ?", "{path}");
    }
}

#[test]
fn what_is_not_ascii_opens_nothing() {
    // Fullwidth letters and digits, which Java takes for hexadecimal digits, and ISO 8859-1 for three other letters each.
    let wide = |id: &str| id.replacen('a', "%ef%bd%81", 1).replacen('0', "%ef%bc%90", 1);
    for (text, expected) in [
        (format!("client_id={}", wide(OPEN_APP)), "+other -open ?"),
        (format!("client_id={}", wide(CLOSED_APP)), "+other -closed ?"),
        (format!("tenantId={}", wide(OPEN_TENANT)), "+Tother -Topen"),
    ] {
        assert_eq!(
            from_head_of(&policy(), &head("GET", &format!("/oauth2/authorize?{text}"), &[])),
            expected,
            "{text}"
        );
        assert_eq!(body("POST", FORM, &text).unwrap(), expected, "{text}");
    }
}

fn body_of(policy: &Policy, method: &str, kind: &str, body: &[u8]) -> Result<String, RequestError> {
    let parts = head(method, "/oauth2/token", &[("content-type", kind)]);
    let mut facts = empty(&parts);
    from_body(policy, &mut facts, &parts, body)?;
    Ok(short(&facts.subjects))
}

fn body(method: &str, kind: &str, text: &str) -> Result<String, RequestError> {
    let text = text.replace("OPEN", OPEN_APP).replace("CLOSED", CLOSED_APP).replace("TENANT", OPEN_TENANT);
    body_of(&policy(), method, kind, text.as_bytes())
}

fn jwt(claims: &str) -> String {
    let claims =
        claims.replace("OPEN", OPEN_APP).replace("CLOSED", CLOSED_APP).replace("TENANT", OPEN_TENANT);
    format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode(claims))
}

#[test]
fn queries() {
    for (text, expected) in [
        ("", ""),
        ("&&=&x=y", ""),
        ("client_id=OPEN", "+open ?"),
        ("client_id=OPEN&tenantId=TENANT", "+open +Topen ?"),
        ("client%5Fid=OPEN&tenant%49d=TENANT", "+open +Topen ?"),
        ("client_id=OPEN&client_id=OPEN", "+open ?"),
        ("client_id=OPEN&client_id=CLOSED", "+open +closed ?"),
        ("client_id=%38%35a03867-dccf-4882-adde-1a79aeec50df", "+open ?"),
        ("client_id=nobody", "+other ?"),
        ("client_id=", "+other ?"),
        ("client_id", "+other ?"),
        ("client_id=OPEN&client_id=", "+open +other ?"),
        ("client_id=+OPEN", "+other -open ?"),
        ("client_id=OPEN%00", "+other -open ?"),
        ("client_id=OPEN%", "+other ?"),
        ("client_id=%ff", "+other ?"),
        ("client_id=Portal", "+Portal ?"),
        ("client_id=PORTAL", "+other -Portal ?"),
        ("client_id=CLOSED,OPEN", "+other -closed -open ?"),
        ("client_id=%2538%2535a03867-dccf-4882-adde-1a79aeec50df", "+other -open ?"),
        ("Client_Id=OPEN", "-open ?"),
        ("client.id=OPEN", "-open ?"),
        ("client_id[]=OPEN", "-open ?"),
        ("client_id%5B0%5D=OPEN", "-open ?"),
        ("clientId=nobody", "+other ?"),
        ("client_id=OPEN&;client_id=nobody", "+open +other ?"),
        ("client_id=OPEN&amp;client_id=nobody", "+open +other ?"),
        ("Client_ID=nobody&client_id=OPEN", "+open +other ?"),
        ("client_id=OPEN&clientId=OPEN", "+open ?"),
        ("client_id=OPEN&x=?client_id=nobody", "+open ?"),
        ("tenantId=TENANT&;tenantId=nobody", "+Topen +Tother"),
        ("client-id=OPEN", "-open ?"),
        ("client_id%00=OPEN", "-open ?"),
        ("client_id%00x=OPEN", "-open ?"),
        ("%20client_id=OPEN", "-open ?"),
        ("+client_id+=OPEN", "-open ?"),
        ("client%u005fid=OPEN", "-open ?"),
        ("a=b;client_id=OPEN", "-open ?"),
        ("a=b?client_id=OPEN", "-open ?"),
        ("?client_id=OPEN", "-open ?"),
        ("client_id=OPEN;a=b", "+other -open ?"),
        ("client_id=CLOSED&a=;client_id=OPEN", "+closed -open ?"),
        ("tenant_id=TENANT", "-Topen"),
        ("tenantId=nobody", "+Tother"),
        ("tenantId=TENANT;", "+Tother -Topen"),
        ("grant_type=client_credentials", "cc"),
        ("Grant.Type=+CLIENT_credentials%0a", "cc"),
        ("a=;grant_type=client_credentials", "cc"),
        ("grant_type=client_credentials2&grant_type=client_credential", ""),
        ("redirect_uri=https%3A%2F%2Fa%2F%3Fclient_id%3DOPEN", ""),
    ] {
        assert_eq!(query(text), expected, "{text}");
    }
}

#[test]
fn resource_servers() {
    let api = format!("@{API}");
    let entity = format!("@{ENTITY}");
    for (text, expected) in [
        ("audience=https://acme.example/api/v2/", api.as_str()),
        ("audience=HTTPS://ACME.example/api/v2", &api),
        ("Audience[]=https://acme.example/api/v2", &api),
        ("audience=https://acme.example/api/V2/", ""),
        ("audience=x+https://acme.example/api/v2/", &api),
        ("audience=+https://acme.example/api/v2/+", &api),
        ("resource=https%3A%2F%2Facme.example%2Fapi%2Fv2", &api),
        ("resource=x&resource=https://acme.example/api/v2/", &api),
        ("scope=target-entity:092dbded-30af-4149-9c61-b578f2c72f59", &entity),
        ("scope=a+target-entity:092dbded-30af-4149-9c61-b578f2c72f59:read,write+b", &entity),
        ("scope=target-entity:092DBDED-30AF-4149-9C61-B578F2C72F59:read", &entity),
        ("scope=Target-Entity:092dbded-30af-4149-9c61-b578f2c72f59", &entity),
        ("scope=target-entity:https://acme.example/api/v2/:read", &api),
        ("scope=target-entity:urn:acme:x:a:b", "@urn:acme:x"),
        ("scope=target-entity:urn:acme", ""),
        ("scope=https://acme.example/api/v2/", ""),
        ("aud=https://acme.example/api/v2/", ""),
    ] {
        assert_eq!(query(text), expected, "{text}");
    }
}

#[test]
fn heads() {
    let basic =
        |engine: &::base64::engine::GeneralPurpose, text: &str| format!("Basic {}", engine.encode(text));
    let open = format!("{OPEN_APP}:secret");
    let cases: Vec<(&str, &str, String, &str)> = vec![
        ("/oauth2/", "host", "open.example".into(), "+Topen"),
        ("/oauth2/", "host", "OPEN.Example.:8080".into(), "+Topen"),
        ("/oauth2/", "host", "other.example".into(), ""),
        ("/oauth2/", "host", "[::1]:8080".into(), ""),
        ("/oauth2/", "x-fusionauth-tenantid", OPEN_TENANT.into(), "+Topen"),
        ("/oauth2/", "x-fusionauth-tenantid", "nobody".into(), "+Tother"),
        ("/oauth2/", "x-fusionauth-tenantid", String::new(), "+Tother"),
        ("/oauth2/", "x-fusionauth-tenantid", format!("{OPEN_TENANT}, x"), "+Tother -Topen"),
        ("/realms/open/x", "x-y", "z".into(), "+Topen"),
        ("/realms/OPEN/x", "x-y", "z".into(), "+Tother -Topen"),
        ("/realms/nobody/x", "x-y", "z".into(), "+Tother"),
        ("/oauth2/;client_id=Portal", "x-y", "z".into(), "-Portal ?"),
        ("/oauth2/;client_id=nobody", "x-y", "z".into(), "+other ?"),
        ("/oauth2/x%3Fclient%5fid=Portal", "x-y", "z".into(), "-Portal ?"),
        ("/oauth2/", "authorization", basic(&STANDARD, &open), "+open ?"),
        ("/oauth2/", "authorization", basic(&STANDARD, &open).replace("Basic ", "bASIC  "), "+open ?"),
        ("/oauth2/", "authorization", basic(&STANDARD, "Por%74al:x"), "+Portal ?"),
        ("/oauth2/", "authorization", basic(&STANDARD, "nobody:x"), "+other ?"),
        ("/oauth2/", "authorization", basic(&STANDARD, ":x"), "+other ?"),
        ("/oauth2/", "authorization", basic(&STANDARD, OPEN_APP), "-open ?"),
        ("/oauth2/", "authorization", basic(&STANDARD_NO_PAD, &format!("{open}1")), "-open ?"),
        ("/oauth2/", "authorization", "Basic".into(), ""),
        (
            "/oauth2/",
            "authorization",
            format!("Bearer {}", jwt(r#"{"aud":"OPEN","tid":"TENANT"}"#)),
            "-open -Topen",
        ),
        ("/oauth2/", "authorization", jwt(r#"{"azp":"OPEN"}"#), "-open"),
        ("/oauth2/", "authorization", "Bearer a.b.c".into(), ""),
    ];
    for (target, name, value, expected) in cases {
        let parts = head("GET", target, &[(name, &value)]);
        assert_eq!(from_head_of(&policy(), &parts), expected, "{target} {name}: {value}");
    }
    let h2 = head("GET", "https://open.example/oauth2/", &[]);
    assert_eq!(from_head_of(&policy(), &h2), "+Topen");
    let two =
        head("GET", "/oauth2/", &[("x-fusionauth-tenantid", OPEN_TENANT), ("x-fusionauth-tenantid", "x")]);
    assert_eq!(from_head_of(&policy(), &two), "+Topen +Tother");
}

#[test]
fn tokens() {
    let cases = [
        ("id_token_hint", r#"{"aud":"OPEN"}"#, "-open"),
        ("id_token_hint", r#"{"aud":["x","OPEN","CLOSED"]}"#, "-open -closed"),
        ("id_token_hint", r#"{"applicationId":"OPEN"}"#, "-open"),
        ("id_token_hint", r#"{"azp":"OPEN","azp":"CLOSED"}"#, "-open -closed"),
        ("id_token_hint", r#"{"tid":"TENANT"}"#, "-Topen"),
        ("id_token_hint", r#"{"aud":"OPEN","broken"#, "-open"),
        ("id_token_hint", r#"{"sub":"OPEN","iss":"OPEN"}"#, ""),
        ("id_token_hint", r#"{"client_id":"OPEN"}"#, "-open ?"),
        ("id_token_hint", "null", ""),
        ("idTokenHint", r#"{"aud":"OPEN"}"#, "-open"),
        ("access_token", r#"{"aud":"OPEN"}"#, "-open"),
        ("client_assertion", r#"{"sub":"OPEN"}"#, "-open"),
        ("client_assertion", r#"{"iss":"OPEN","aud":"https://x"}"#, "-open"),
        ("request", r#"{"client_id":"OPEN","tenantId":"TENANT"}"#, "-open -Topen ?"),
        ("request", r#"{"grant_type":"client_credentials","resource":["urn:acme:x"]}"#, "cc @urn:acme:x"),
        ("request", r#"{"client_id":"nobody"}"#, "+other ?"),
        ("id_token_hint", r#"{"aud":"nobody","client_id":"nobody"}"#, "?"),
        ("state", r#"{"aud":"OPEN"}"#, ""),
    ];
    for (name, claims, expected) in cases {
        assert_eq!(query(&format!("{name}={}", jwt(claims))), expected, "{name} {claims}");
        assert_eq!(
            body("POST", FORM, &format!("{name}={}", jwt(claims))).unwrap(),
            expected,
            "{name} {claims}"
        );
    }
    for garbage in ["", ".", "..", "a", "a.b", "a.%00.c", "....."] {
        assert_eq!(query(&format!("id_token_hint={garbage}")), "", "{garbage}");
    }
    let padded = jwt(r#"{"aud":"OPEN"}"#).replace(".c2ln", "==.c2ln");
    assert_eq!(query(&format!("id_token_hint={padded}")), "-open");
}

#[test]
fn forms() {
    for (method, text, expected) in [
        ("POST", "client_id=OPEN&tenantId=TENANT", Some("+open +Topen ?")),
        ("POST", "client%5Fid=OPEN", Some("+open ?")),
        ("PUT", "client_id=OPEN", Some("-open ?")),
        ("GET", "client_id=OPEN&grant_type=client_credentials", Some("-open ? cc")),
        ("POST", "client_id=OPEN\r\n", Some("+other -open ?")),
        ("POST", "a=b;client_id=OPEN", Some("-open ?")),
        ("POST", "\0client_id=OPEN", Some("-open ?")),
        ("POST", "client_id=OPEN&;client_id=nobody", Some("+open +other ?")),
        ("PUT", "client_id=OPEN&;client_id=nobody", Some("+other -open ?")),
        ("POST", "\u{feff}client_id=OPEN", None),
        ("POST", "x=é&client_id=OPEN", Some("+open ?")),
        ("POST", "x=%zz&client_id=OPEN", None),
        ("POST", "client_id=OPEN&x=%", None),
        ("POST", "client_id=OPEN&x=%c3", None),
        ("POST", "%=&client_id=OPEN", None),
        ("POST", "_charset_=UTF-8&client_id=OPEN", Some("+open ?")),
        ("POST", "client_id=OPEN&_charset_=utf-7", None),
        ("POST", "%5Fcharset_=ibm037", None),
        ("POST", "", Some("")),
    ] {
        assert_eq!(body(method, FORM, text).ok().as_deref(), expected, "{method} {text}");
    }
    let binary = body_of(&policy(), "POST", FORM, b"client_id=\xff");
    assert!(matches!(binary, Err(RequestError::Malformed(_))));
}

#[test]
fn json_bodies() {
    let auth0 = policy_with(|parts| parts.rules.json_names = true);
    for (text, hint, naming) in [
        (r#"{"client_id":"OPEN"}"#, "-open ?", "+open ?"),
        (r#"{"client_id":["OPEN"]}"#, "-open ?", "-open ?"),
        (r#"{"x":{"client_id":"OPEN"}}"#, "-open ?", "-open ?"),
        (r#"[{"client_id":"OPEN"}]"#, "-open ?", "-open ?"),
        (r#"{"clientId":"OPEN"}"#, "-open ?", "-open ?"),
        (r#"{"client\u005fid":"OPEN"}"#, "-open ?", "+open ?"),
        (r#"{"client_id":null}"#, "?", "?"),
        (r#"{"client_id":7}"#, "+other ?", "+other ?"),
        (r#"{"x":{"clientId":"nobody"}}"#, "+other ?", "+other ?"),
        (r#"{"tenantId":"nobody"}"#, "+Tother", "+Tother"),
        (
            r#"{"grant_type":"client_credentials","audience":"urn:acme:x"}"#,
            "cc @urn:acme:x",
            "cc @urn:acme:x",
        ),
        (r#"{"scope":["a","target-entity:urn:acme:x:b"]}"#, "@urn:acme:x", "@urn:acme:x"),
    ] {
        assert_eq!(body("POST", "application/json", text).unwrap(), hint, "{text}");
        let text = text.replace("OPEN", OPEN_APP);
        assert_eq!(body_of(&auth0, "POST", "application/json", text.as_bytes()).unwrap(), naming, "{text}");
        assert_eq!(body_of(&auth0, "PUT", "application/json", text.as_bytes()).unwrap(), hint, "{text}");
    }
    for text in ["\u{feff}{}", r#"{"a":1,"a":1}"#, r#"{"a":{"b":1,"b":2}}"#, "{", r#"{"a":"\q"}"#, "a=b"] {
        assert!(matches!(body("POST", "application/json", text), Err(RequestError::Malformed(_))), "{text}");
    }
}

#[test]
fn multipart_bodies() {
    let kind = "multipart/form-data; boundary=B";
    let part =
        |head: &str, value: &str| format!("--B\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n");
    let plain = |value: &str| part("name=\"client_id\"", value);
    for (text, expected) in [
        (format!("{}--B--\r\n", plain("OPEN")), Some("-open ?")),
        (format!("{}--B--\r\n", plain("nobody")), Some("+other ?")),
        (
            format!("{}{}--B--", plain("OPEN"), part("name=tenantId; filename=\"a b\"", "TENANT")),
            Some("-open -Topen ?"),
        ),
        (format!("{}--B--", part("name=\"client%5Fid\"", "OPEN")), Some("-open ?")),
        (format!("{}--B--", part("name=\"grant_type\"", "client_credentials")), Some("cc")),
        (format!("{}--B--", part("name=\"file\"", "\0\u{1}")), Some("")),
        (format!("{}{}--B--", part("name=\"_charset_\"", "utf-8"), plain("OPEN")), Some("-open ?")),
        (format!("{}{}--B--", part("name=\"_charset_\"", "utf-7"), plain("+ADg-5a03867")), None),
        (format!("{}{}--B--", part("name=_charset_", "utf-16-le"), plain("8\x005\x00")), None),
        ("--B--".into(), Some("")),
        (plain("OPEN"), None),
        (format!("x{}--B--", plain("OPEN")), None),
        (format!("\r\n{}--B--", plain("OPEN")), None),
        (format!("{}--B--x", plain("OPEN")), None),
        (format!("{}--B--", plain("a\n--B\nb")), None),
        (format!("{}--B--", plain("a--B")), None),
        (format!("{}--B--", part("name=\"client\\_id\"", "OPEN")), None),
        (format!("{}--B--", part("name*=utf-8''client_id", "OPEN")), None),
        (format!("{}--B--", part("name=\"a\"; name=\"client_id\"", "OPEN")), None),
        (format!("{}--B--", part("filename=\"a\"", "OPEN")), None),
        (format!("{}--B--", part("name=\"a\"\r\nContent-Disposition: form-data; name=\"b\"", "x")), None),
        (format!("{}--B--", part("name=\"a\"\r\n folded: b", "x")), None),
        (format!("{}--B--", part("name=\"a\"\nb: c", "x")), None),
        (format!("{}--B--", part("name=\"a\"\r\nContent-Transfer-Encoding: base64", "x")), None),
        (format!("{}--B--", part("name=\"a\"\r\nContent-Type: text/plain; charset=utf-16", "x")), None),
        (format!("{}--B--", part("name=\"a\"\r\nContent-Type: text/plain; charset=UTF-8", "x")), Some("")),
        (format!("{}--B--", plain("OPEN").replace("form-data", "attachment")), None),
        (format!("{}--B--", plain("OPEN").replace("\r\n", "\n")), None),
        (format!("{}--B--", part("name=\"a\"", "").repeat(200)), None),
        (format!("{}--B--", part("name=\"a\"", "").repeat(128)), Some("")),
    ] {
        assert_eq!(body("POST", kind, &text).ok().as_deref(), expected, "{text}");
    }
}

#[test]
fn bodies_that_are_not_read() {
    for kind in ["text/plain", "application/xml", "application/json; charset=utf-16", ""] {
        assert!(matches!(body("POST", kind, "{}"), Err(RequestError::Unsupported(_))), "{kind}");
        assert_eq!(body("POST", kind, ""), Ok(String::new()), "{kind}");
    }
    let device = [("content-type", FORM), ("x-up-devcap-post-charset", "ibm037")];
    let device = head("POST", "/oauth2/token", &device);
    assert!(from_body(&policy(), &mut empty(&device), &device, b"a=b").is_err());
    for (codings, accepted) in
        [(vec!["gzip"], false), (vec!["identity"], true), (vec!["identity", "br"], false)]
    {
        let mut fields = vec![("content-type", "application/json")];
        fields.extend(codings.iter().map(|coding| ("content-encoding", *coding)));
        let parts = head("POST", "/oauth2/token", &fields);
        assert_eq!(from_body(&policy(), &mut empty(&parts), &parts, b"{}").is_ok(), accepted, "{codings:?}");
    }
}

#[test]
fn names_behind_too_many_pairs_open_nothing() {
    for (before, expected) in [(249, "+open ?"), (250, "-open ?"), (1000, "-open ?")] {
        let text = "&".repeat(before) + "client_id=OPEN";
        assert_eq!(query(&text), expected, "{before}");
        assert_eq!(body("POST", FORM, &text).unwrap(), expected, "{before}");
    }
    assert_eq!(query(&format!("client_id=OPEN{}client_id=nobody", "&".repeat(300))), "+open +other ?");
}

#[test]
fn many_values_do_not_pile_up() {
    let text = (0..4000).map(|n| format!("client_id={n}")).collect::<Vec<_>>().join("&");
    assert_eq!(body("POST", FORM, &text).unwrap(), "+other ?");
    let colons = format!("scope=target-entity:{}", ":".repeat(60_000));
    assert_eq!(body("POST", FORM, &colons).unwrap(), "");
}

/// What would open a door comes as often as all the rest.
fn ids() -> impl Strategy<Value = String> {
    let rest = vec![CLOSED_APP, TEXT_APP, "portal", " Portal", "nobody", "", CLOSED_TENANT];
    prop_oneof![prop::sample::select(vec![OPEN_APP, OPEN_TENANT]), prop::sample::select(rest)]
        .prop_map(str::to_owned)
}

/// A pair of a naming place.
fn named() -> impl Strategy<Value = String> {
    (prop::sample::select(vec!["client_id", "tenantId"]), ids())
        .prop_map(|(name, id)| format!("{name}={}", id.trim()))
}

/// A pair that is a hint, whatever it says.
fn hinted() -> impl Strategy<Value = String> {
    let names = vec![
        "Client_ID",
        "client.id",
        "client_id[]",
        "client_id%00",
        "a;client_id",
        "tenant_id",
        "a?tenantId",
        "x",
    ];
    prop_oneof![
        (prop::sample::select(names), ids())
            .prop_map(|(name, id)| format!("{name}={}", id.replace(' ', "+"))),
        ids().prop_map(|id| format!("id_token_hint={}", jwt(&format!(r#"{{"aud":"{id}","tid":"{id}"}}"#)))),
    ]
}

fn effect(policy: &Policy, pairs: &[String], json: Option<&str>) -> Effect {
    let target = format!("/oauth2/authorize?{}", pairs.join("&"));
    let parts = head("POST", &target, &[("content-type", "application/json")]);
    let mut facts = empty(&parts);
    from_head(policy, &mut facts, &parts);
    from_body(policy, &mut facts, &parts, json.unwrap_or("").as_bytes()).unwrap();
    decide(policy, &facts, |_| {}).effect
}

#[test]
fn an_unlisted_application_stays_under_the_default_tenant() {
    let open = [format!("client_id={OPEN_APP}")];
    assert_eq!(effect(&policy(), &open, None), Effect::Allow);
    for (json, expected) in [
        (r#"{"x":1}"#, Effect::Allow),
        (r#"{"client_id":"OPEN"}"#, Effect::Allow),
        (r#"{"client_id":"nobody"}"#, Effect::Block),
        (r#"{"client":{"id":"nobody"},"clientId":["nobody"]}"#, Effect::Block),
    ] {
        let json = json.replace("OPEN", OPEN_APP);
        assert_eq!(effect(&policy(), &open, Some(&json)), expected, "{json}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn a_hint_never_opens_a_door(
        naming in prop::collection::vec(named(), 0..3),
        hints in prop::collection::vec(hinted(), 0..3),
        at in 0_usize..4,
        json in prop::option::weighted(0.3, ids()),
        changes in (prop::bool::weighted(0.2), prop::bool::weighted(0.2), prop::bool::weighted(0.2)),
    ) {
        let policy = policy_with(|parts| {
            if changes.0 {
                parts.applications.truncate(2);
            }
            if changes.1 {
                parts.tenants.truncate(1);
            }
            if changes.2 {
                parts.applications.remove(0);
            }
        });
        let json = json.map(|id| format!(r#"{{"client_id":"{id}","tenantId":"{id}"}}"#));
        let mut all = naming.clone();
        let at = at.min(all.len());
        all.splice(at..at, hints);
        if effect(&policy, &naming, None) == Effect::Block {
            prop_assert_eq!(effect(&policy, &all, json.as_deref()), Effect::Block, "{:?} {:?}", all, json);
        }
    }

}

proptest! {
    #[test]
    fn heads_never_panic(target in "/[!-~]{0,80}", value in "[ -~]{0,60}") {
        if let Ok(request) = Request::builder().uri(target).header("authorization", value).body(()) {
            let parts = request.into_parts().0.into();
            from_head_of(&policy(), &parts);
        }
    }

    #[test]
    fn bodies_never_panic(
        kind in prop::sample::select(vec![FORM, "application/json", "multipart/form-data; boundary=B"]),
        body in prop::collection::vec(prop_oneof![
            any::<u8>().prop_map(|byte| vec![byte]),
            prop::sample::select(vec!["--B", "\r\n", "client_id", "Content-Disposition: form-data; name=", "\"", "=", "{", ":", "%"])
                .prop_map(|text| text.as_bytes().to_vec()),
        ], 0..40),
    ) {
        let _ = body_of(&policy(), "POST", kind, &body.concat());
    }
}
