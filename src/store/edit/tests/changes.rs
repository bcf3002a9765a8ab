//! Every operation on a file with comments everywhere: the difference shows the change alone.

use super::*;
use proptest::prelude::*;
use serde_json::json;
use std::fmt::Write as _;

/// What differs, line by line, with two lines around it.
fn difference(before: &str, after: &str) -> String {
    let (before, after): (Vec<_>, Vec<_>) = (before.split('\n').collect(), after.split('\n').collect());
    let mut common = vec![vec![0_usize; after.len() + 1]; before.len() + 1];
    for one in (0..before.len()).rev() {
        for other in (0..after.len()).rev() {
            common[one][other] = match before[one] == after[other] {
                true => common[one + 1][other + 1] + 1,
                false => common[one + 1][other].max(common[one][other + 1]),
            };
        }
    }
    let (mut one, mut other, mut lines) = (0, 0, Vec::new());
    while one < before.len() || other < after.len() {
        if one < before.len() && other < after.len() && before[one] == after[other] {
            lines.push((' ', before[one]));
            (one, other) = (one + 1, other + 1);
        } else if one < before.len()
            && (other == after.len() || common[one + 1][other] >= common[one][other + 1])
        {
            lines.push(('-', before[one]));
            one += 1;
        } else {
            lines.push(('+', after[other]));
            other += 1;
        }
    }
    let near = |at: usize| {
        lines[at.saturating_sub(2)..(at + 3).min(lines.len())].iter().any(|(sign, _)| *sign != ' ')
    };
    let mut shown = String::new();
    let mut gap = false;
    for (at, (sign, line)) in lines.iter().enumerate() {
        if near(at) {
            writeln!(shown, "{}{sign}{line}", if gap { "...\n" } else { "" }).unwrap();
        }
        gap = !near(at) && !shown.is_empty();
    }
    shown
}

/// Makes a change, holds what comes of it to what was asked for, and shows the difference.
fn shown(change: &Change) -> String {
    let after = changed(COMMENTED, change).unwrap();
    let found = change.target().find(&policy_of(&after)).map(|(_, image)| image);
    match change {
        Change::Create(object) | Change::Replace(object) => {
            assert!(found.unwrap().is_object(object), "{after}")
        }
        _ => assert!(found.is_none()),
    }
    difference(COMMENTED, &after)
}

fn tenant(name: &str) -> TenantObject {
    let policy = policy_of(COMMENTED);
    let tenant = &policy.parts().tenants[0];
    let ip_acl = tenant.assignment.as_ref().map(|given| given.acl.id());
    TenantObject { id: tenant.id.to_string(), name: name.to_owned(), ip_acl }
}

fn application(id: &str, tenant: Option<&str>, ip_acl: Option<Uuid>) -> ApplicationObject {
    ApplicationObject { id: id.to_owned(), name: id.to_owned(), tenant: tenant.map(str::to_owned), ip_acl }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of every operation, for one snapshot")]
fn differences_show_the_change_alone() {
    let policy = policy_of(COMMENTED);
    let (office, partners, spare) = (acl(&policy, "office"), acl(&policy, "partners"), acl(&policy, "spare"));
    let (ci, deploy) = (key(&policy, "ci"), key(&policy, "deploy"));
    let entry = |text: &str, action| EntryObject::plain(text.parse().unwrap(), action);
    let without = |acl: &IpAclObject, gone: &[&str]| IpAclObject {
        entries: acl
            .entries
            .iter()
            .filter(|entry| !gone.contains(&&*entry.range.to_string()))
            .cloned()
            .collect(),
        ..acl.clone()
    };
    let with = |acl: IpAclObject, more: &[(&str, Action)]| {
        let more = more.iter().map(|(text, action)| entry(text, *action));
        IpAclObject { entries: acl.entries.iter().cloned().chain(more).collect(), ..acl }
    };
    let application_id = "85a03867-dccf-4882-adde-1a79aeec50df";
    let acme = tenant("acme").id;
    let cases: Vec<(&str, Change)> = vec![
        (
            "create an acl",
            create_acl(IpAclObject { data: Some(json!({"a": [1, "x"]})), ..new_acl(7, "new") }),
        ),
        ("create a key", Change::Create(Object::ApiKey(new_key(8, "new key", Some(office.id))))),
        (
            "create a tenant",
            Change::Create(Object::Tenant(TenantObject { id: "t2".into(), name: "t2".into(), ip_acl: None })),
        ),
        (
            "create an application",
            Change::Create(Object::Application(application("a3", Some(&acme), Some(spare.id)))),
        ),
        ("rename an acl", replace_acl(IpAclObject { name: "offices \"all\"".into(), ..office.clone() })),
        ("turn the default", replace_acl(IpAclObject { default: Action::Allow, ..office.clone() })),
        (
            "add entries",
            replace_acl(with(
                office.clone(),
                &[
                    ("192.0.2.1", Action::Allow),
                    ("2001:db8:2::/48", Action::Allow),
                    ("192.0.2.7", Action::Block),
                ],
            )),
        ),
        ("drop entries", replace_acl(without(&office, &["203.0.113.10-203.0.113.20", "198.51.100.66"]))),
        (
            "drop the last and add",
            replace_acl(with(without(&office, &["2001:db8:1::/48"]), &[("192.0.2.1", Action::Allow)])),
        ),
        ("drop all entries", replace_acl(IpAclObject { entries: Vec::new(), ..office.clone() })),
        (
            "from allow to block",
            replace_acl(with(without(&office, &["198.51.100.0/24"]), &[("198.51.100.0/24", Action::Block)])),
        ),
        (
            "into an empty list, and a new one",
            replace_acl(with(
                partners.clone(),
                &[("192.0.2.1", Action::Block), ("192.0.2.2", Action::Allow)],
            )),
        ),
        (
            "instants",
            replace_acl(IpAclObject {
                last_update_instant: Some(5),
                insert_instant: Some(4),
                ..partners.clone()
            }),
        ),
        (
            "data for dotted keys",
            replace_acl(IpAclObject { data: Some(json!({"owner": "hr"})), ..partners.clone() }),
        ),
        (
            "data that toml cannot say",
            replace_acl(IpAclObject { data: Some(json!({"owner": null})), ..spare.clone() }),
        ),
        ("no data", replace_acl(IpAclObject { data: None, ..partners.clone() })),
        ("delete an acl", Change::DeleteIpAcl(spare.id)),
        ("delete a key", Change::DeleteApiKey(ci.id)),
        ("delete the last key", Change::DeleteApiKey(deploy.id)),
        ("delete an application", Change::DeleteApplication(application_id.into())),
        (
            "rename a key and take its acl",
            Change::Replace(Object::ApiKey(ApiKeyObject {
                name: "build".into(),
                ip_acl: None,
                ..ci.clone()
            })),
        ),
        ("another hash", Change::Replace(Object::ApiKey(ApiKeyObject { hash: ApiKeyHash::of(b"x"), ..ci }))),
        (
            "give a key an acl",
            Change::Replace(Object::ApiKey(ApiKeyObject {
                ip_acl: Some(spare.id),
                data: Some(json!("note")),
                ..deploy
            })),
        ),
        ("rename a tenant", Change::Replace(Object::Tenant(tenant("acme ltd")))),
        (
            "another acl for a tenant",
            Change::Replace(Object::Tenant(TenantObject { ip_acl: Some(partners.id), ..tenant("acme") })),
        ),
        (
            "take an application's tenant",
            Change::Replace(Object::Application(application(application_id, None, Some(partners.id)))),
        ),
        (
            "name an application",
            Change::Replace(Object::Application(ApplicationObject {
                name: "second shop".into(),
                ..application("shop-2", Some(&acme), None)
            })),
        ),
    ];
    let mut all = String::new();
    for (name, change) in cases {
        writeln!(all, "==== {name}\n{}", shown(&change)).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn nothing_is_written_if_nothing_changes() {
    let policy = policy_of(COMMENTED);
    for name in ["office", "partners", "spare"] {
        let change = replace_acl(acl(&policy, name));
        assert_eq!(plan(Current { text: COMMENTED, policy: &policy }, &change), Ok(None), "{name}");
    }
}

#[test]
fn what_cannot_be_done_is_said() {
    let policy = policy_of(COMMENTED);
    let office = acl(&policy, "office");
    let unknown = Uuid::from_u128(1);
    let inline = "upstream.url = \"http://127.0.0.1:9\"\nip_acl = [{ name = \"a\", default = \"allow\" }]\n";
    let id = acl(&policy_of(inline), "a").id;
    let cases = [
        (COMMENTED, create_acl(office.clone()), "is there already"),
        (COMMENTED, Change::DeleteIpAcl(unknown), "is not there any more"),
        (COMMENTED, replace_acl(new_acl(9, "x")), "is not there any more"),
        (
            COMMENTED,
            Change::Create(Object::ApiKey(new_key(1, "k", Some(unknown)))),
            "there is no IP ACL `0000",
        ),
        (
            COMMENTED,
            Change::Create(Object::Application(application("x", Some("none"), None))),
            "there is no tenant `none`",
        ),
        (inline, Change::DeleteIpAcl(id), "cannot be edited"),
    ];
    for (text, change, expected) in cases {
        let error = changed(text, &change).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn places_of_new_tables() {
    let start = "[upstream]\nurl = \"http://127.0.0.1:9\"";
    let acl = "[[ip_acl]]\nname = \"n\"\nid = \"00000000-0000-0000-0000-000000000007\"\ndefault = \"block\"\nallow = [\"192.0.2.0/24\"]\ninsert_instant = 1\nlast_update_instant = 2\n";
    let other = "[[ip_acl]]\nname = \"o\"\ndefault = \"allow\"\n";
    let key = format!("# k\n[[api_key]]\nname = \"k\"\nsha256 = \"{}\"\n", "1".repeat(64));
    #[rustfmt::skip]
    let cases = [
        (start.to_owned(),                            format!("{start}\n\n{acl}")),
        (format!("{start}\n"),                        format!("{start}\n\n{acl}")),
        (format!("{start}\n\n# end\n"),               format!("{start}\n\n# end\n\n{acl}")),
        (format!("{start}\n\n{other}\n{key}"),        format!("{start}\n\n{other}\n{acl}\n{key}")),
        (format!("{start}\n{other}{key}"),            format!("{start}\n{other}\n{acl}\n{key}")),
        (format!("{start}\n\n{other}# x\n\n{key}"),   format!("{start}\n\n{other}# x\n\n{acl}\n{key}")),
    ];
    for (before, expected) in cases {
        assert_eq!(changed(&before, &create_acl(new_acl(7, "n"))).unwrap(), expected);
        let windows = before.replace('\n', "\r\n");
        if windows.contains('\r') {
            let after = changed(&windows, &create_acl(new_acl(7, "n"))).unwrap();
            assert_eq!(after, expected.replace('\n', "\r\n"));
        }
    }
}

#[test]
fn what_is_created_and_deleted_again_leaves_no_trace() {
    for change in [create_acl(new_acl(7, "n")), Change::Create(Object::ApiKey(new_key(7, "n", None)))] {
        let with = changed(COMMENTED, &change).unwrap();
        let delete = match change {
            Change::Create(Object::IpAcl(acl)) => Change::DeleteIpAcl(acl.id),
            _ => Change::DeleteApiKey(Uuid::from_u128(7)),
        };
        assert_eq!(changed(&with, &delete).unwrap(), COMMENTED);
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,8}".prop_map(Into::into),
        "[\"'\\\\\n\r\t\u{1} ]{0,6}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::vec((".{0,4}", inner), 0..4)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever names and data are, the front door reads them as they were given, order of keys included.
    #[test]
    fn names_and_data_come_back_as_they_came(name in ".{0,12}", nasty in "[\"'\\\\\n\r\t\u{7f} #=\\[]{0,8}", data in any_json()) {
        let name = format!("n{name}{nasty}");
        let start = "[upstream]\nurl = \"http://127.0.0.1:9\"\n";
        let object = IpAclObject { data: Some(data.clone()), ..new_acl(7, &name) };
        let text = changed(start, &create_acl(object)).unwrap();
        let found = acl(&policy_of(&text), &name);
        prop_assert_eq!(found.data.map(|data| data.to_string()), Some(data.to_string()), "{}", text);
    }

    /// Any set of entries becomes any other, by however many steps.
    #[test]
    fn entries_become_what_was_asked_for(steps in proptest::collection::vec(proptest::collection::btree_set((0_u8..12, any::<bool>()), 0..8), 1..5)) {
        let mut text = COMMENTED.to_owned();
        for step in steps {
            let entries = step.iter().map(|(at, allow)| {
                let range = if *at == 11 { "198.51.100.0/24".to_owned() } else { format!("192.0.2.{at}") };
                EntryObject::plain(range.parse().unwrap(), if *allow { Action::Allow } else { Action::Block })
            });
            let object = IpAclObject { entries: entries.collect(), ..acl(&policy_of(&text), "office") };
            let change = replace_acl(object.clone());
            text = changed(&text, &change).unwrap();
            let (_, image) = change.target().find(&policy_of(&text)).unwrap();
            prop_assert!(image.is_object(&Object::IpAcl(object)), "{}", text);
        }
        for comment in ["# Vienna", "# Graz", "# printers", "# end of office"] {
            prop_assert!(text.contains(comment));
        }
    }
}
