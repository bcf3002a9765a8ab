//! The short way to a candidate comes to what the whole text comes to.

use super::*;
use crate::store::Snapshot;
use crate::store::edit::graft::Graft;
use std::fmt::Write as _;
use std::time::Instant;

/// A file with many keys, ACLs before and behind them.
fn large(keys: usize) -> String {
    let mut text = COMMENTED.to_owned();
    for at in 0..keys {
        let acl = if at % 100 == 7 { "partners" } else { "spare" };
        writeln!(
            text,
            "\n# key {at}\n[[api_key]]\nname = \"key-{at}\"\nsha256 = \"{:064x}\" # hash\nip_acl = \"{acl}\"",
            at + 1000
        )
        .unwrap();
    }
    text.push_str("\n[[ip_acl]]\nname = \"late\"\ndefault = \"block\"\nallow = [\"192.0.2.1\"]\n");
    text
}

/// Everything that a policy says, with the places of entries.
fn described(policy: &Policy) -> String {
    let parts = policy.parts();
    let mut text = String::new();
    for acl in &parts.acls {
        writeln!(text, "{acl:?} {:?}", acl.entries().collect::<Vec<_>>()).unwrap();
    }
    for key in &parts.api_keys {
        let given = key.assignment.as_ref().map(|given| (given.acl.name(), given.acl.id(), given.mode));
        let ours = key
            .assignment
            .as_ref()
            .is_none_or(|given| parts.acls.iter().any(|acl| Arc::ptr_eq(acl, &given.acl)));
        let index = policy.api_key(&key.hash).map(|key| key.id);
        writeln!(text, "{} {} {given:?} {ours} {index:?}", key.id, key.name).unwrap();
    }
    write!(text, "{:?} {:?} {:?}", parts.tenants, parts.applications, parts.files).unwrap();
    text
}

#[test]
fn the_short_way_comes_to_the_same_as_the_whole() {
    let room = Room::with(&large(1200));
    let current: Arc<Snapshot> = room.reloader.store().load();
    let policy = &current.policy;
    let text = room.text();
    let office = acl(policy, "office");
    let (first, last) = (key(policy, "key-0"), key(policy, "key-1199"));
    let cases = [
        (create_acl(new_acl(7, "n")), true),
        (create_acl(new_acl(7, "FBA75C7B-8C27-4CDD-840E-694D808D0AAF")), false),
        (replace_acl(IpAclObject { entries: Vec::new(), ..office.clone() }), true),
        (replace_acl(IpAclObject { name: "bureau".into(), ..office }), true),
        (replace_acl(IpAclObject { name: "associates".into(), ..acl(policy, "partners") }), true),
        (Change::DeleteIpAcl(acl(policy, "late").id), true),
        (Change::Create(Object::ApiKey(new_key(9, "new", Some(acl(policy, "late").id)))), true),
        (
            Change::Replace(Object::ApiKey(ApiKeyObject {
                name: "other".into(),
                ip_acl: None,
                ..first.clone()
            })),
            true,
        ),
        (Change::Replace(Object::ApiKey(ApiKeyObject { hash: ApiKeyHash::of(b"k"), ..last.clone() })), true),
        (Change::DeleteApiKey(first.id), true),
        (Change::DeleteApiKey(last.id), true),
        (Change::DeleteApplication("shop-2".into()), true),
    ];
    for (change, grafted) in cases {
        let now = Current { text: &text, policy };
        let changed = plan(now, &change).unwrap().unwrap();
        let whole = room.reloader.loader().load_text(&changed).unwrap();
        let graft = Graft::of(now, &change, &changed);
        assert_eq!(graft.is_some(), grafted, "{change:?}");
        let Some(graft) = graft else { continue };
        assert!(graft.reduced.len() < text.len() / 4, "{change:?}");
        let short = room.reloader.loader().load_reduced(&changed, &graft.reduced).unwrap();
        let short = graft.complete(short, policy).unwrap();
        assert_eq!(described(&short.policy), described(&whole.policy), "{change:?}");
        assert_eq!((short.digest, short.files), (whole.digest, whole.files));
    }
}

/// Where the short way would come to something else, it is not taken.
#[test]
fn doubts_are_left_to_the_whole() {
    let room = Room::with(&large(1200));
    let current = room.reloader.store().load();
    let (policy, text) = (&current.policy, room.text());
    let other = key(policy, "key-5");
    let cases = [
        Change::DeleteIpAcl(acl(policy, "spare").id),
        Change::Create(Object::ApiKey(new_key(9, "key-5", None))),
        Change::Create(Object::ApiKey(ApiKeyObject { hash: other.hash, ..new_key(9, "n", None) })),
    ];
    for change in cases {
        let now = Current { text: &text, policy };
        let changed = plan(now, &change).unwrap().unwrap();
        let graft = Graft::of(now, &change, &changed).unwrap();
        let short = room.reloader.loader().load_reduced(&changed, &graft.reduced).unwrap();
        assert!(graft.complete(short, policy).is_none(), "{change:?}");
        assert!(room.reloader.loader().load_text(&changed).is_err(), "{change:?}");
    }
}

/// `cargo test --release --lib store::edit -- --ignored --nocapture`
#[tokio::test]
#[ignore = "measures; in release"]
async fn an_edit_among_100_000_keys_takes_less_than_200_milliseconds() {
    let room = Room::with(&large(100_000));
    let office = acl(&room.reloader.store().load().policy, "office").id;
    let mut times = Vec::new();
    for number in 0..9 {
        let now = room.reloader.store().load();
        let change = match number % 3 {
            0 => Change::Create(Object::ApiKey(new_key(number, &format!("new-{number}"), Some(office)))),
            1 => create_acl(new_acl(number, &format!("acl-{number}"))),
            _ => Change::DeleteApiKey(key(&now.policy, &format!("key-{number}")).id),
        };
        let start = Instant::now();
        room.editor.apply(&now, change, None, fine).await.unwrap();
        times.push(start.elapsed());
    }
    println!("{} MB: {times:?}", room.text().len() / 1_000_000);
    times.sort_unstable();
    assert!(times[4].as_millis() < 200, "{times:?}");
}
