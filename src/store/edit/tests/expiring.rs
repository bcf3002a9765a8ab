//! Entries with details: what is not touched stays to the byte, what is changed is changed where it stands.

use super::*;
use crate::policy::acl::Details;
use std::time::SystemTime;

const FILE: &str = r#"[upstream]
url = "http://127.0.0.1:9011"

[[ip_acl]]
name = "office"
default = "block"
allow = [
    "192.0.2.1", # one
    { range = "192.0.2.2", expires = 2099-12-01T01:00:00+01:00, note = 'the "branch"' }, # two
    # the consultant's
    {range="192.0.2.3",owner="hr"},# three
    { range = "192.0.2.4", expires = 2001-12-01T00:00:00Z }, # long gone
] # all of them
block = [{ range = "192.0.2.66", note = "printer" }]
"#;

fn entry(range: &str, action: Action, details: Details) -> EntryObject {
    EntryObject { range: range.parse().unwrap(), action, details }
}

fn until(text: &str) -> Details {
    Details { expires: Some(text.parse().unwrap()), ..Details::default() }
}

/// The file after the entries were changed, which are as they were to be.
fn after(change: impl FnOnce(&mut Vec<EntryObject>)) -> String {
    let mut object = acl(&policy_of(FILE), "office");
    change(&mut object.entries);
    let change = replace_acl(object.clone());
    let text = changed(FILE, &change).unwrap();
    let (_, image) = change.target().find(&policy_of(&text)).unwrap();
    assert!(image.is_object(&Object::IpAcl(object)), "{text}");
    text
}

#[test]
fn what_is_not_touched_stays() {
    assert_eq!(after(|_| {}), FILE);
    let added =
        after(|entries| entries.push(EntryObject::plain("192.0.2.9".parse().unwrap(), Action::Allow)));
    assert_eq!(added, FILE.replace("# long gone\n", "# long gone\n    \"192.0.2.9\",\n"));
    let gone = after(|entries| entries.retain(|entry| entry.range.to_string() != "192.0.2.3"));
    assert_eq!(gone, FILE.replace("    {range=\"192.0.2.3\",owner=\"hr\"},# three\n", ""));
}

#[test]
fn details_change_where_the_entry_stands() {
    let text = after(|entries| {
        for entry in entries.iter_mut() {
            match &*entry.range.to_string() {
                "192.0.2.1" => entry.details = until("2098-01-01T00:00:00.5Z"),
                "192.0.2.2" => entry.details = Details::default(),
                "192.0.2.66" => entry.details.owner = Some("it \"dept\"".into()),
                _ => {}
            }
        }
    });
    let expected = FILE
        .replace("\"192.0.2.1\",", "{ range = \"192.0.2.1\", expires = 2098-01-01T00:00:00.5Z },")
        .replace(
            "{ range = \"192.0.2.2\", expires = 2099-12-01T01:00:00+01:00, note = 'the \"branch\"' },",
            "\"192.0.2.2\",",
        )
        .replace("note = \"printer\" }", "note = \"printer\", owner = 'it \"dept\"' }");
    assert_eq!(text, expected);
}

#[test]
fn of_equal_ranges_the_one_that_is_meant_changes() {
    let text =
        after(|entries| entries.push(entry("192.0.2.1", Action::Allow, until("2099-01-01T00:00:00Z"))));
    assert!(
        text.contains("\"192.0.2.1\", # one") && text.contains("expires = 2099-01-01T00:00:00Z"),
        "{text}"
    );
    let policy = policy_of(&text);
    let mut object = acl(&policy, "office");
    object.entries.retain(|entry| entry.details.expires.is_some() || entry.range.to_string() != "192.0.2.1");
    let text = changed(&text, &replace_acl(object)).unwrap();
    assert!(!text.contains("# one") && text.contains("expires = 2099-01-01T00:00:00Z"), "{text}");
}

#[test]
fn a_new_acl_is_written_with_its_details() {
    let details =
        Details { note: Some("n".into()), owner: Some("o".into()), ..until("2099-01-01T00:00:00Z") };
    let object =
        IpAclObject { entries: vec![entry("192.0.2.9", Action::Block, details)], ..new_acl(7, "new") };
    let text = changed(FILE, &create_acl(object.clone())).unwrap();
    let line =
        "block = [{ range = \"192.0.2.9\", expires = 2099-01-01T00:00:00Z, note = \"n\", owner = \"o\" }]\n";
    assert!(text.contains(line), "{text}");
    assert_eq!(acl(&policy_of(&text), "new"), object);
}

/// An edit by hand of an entry's details is seen, and expiry is none.
#[tokio::test]
async fn expiry_is_no_conflict_and_an_edit_by_hand_is() {
    let room = Room::with(FILE);
    let first = room.reloader.store().load();
    let object = acl(&first.policy, "office");
    assert_eq!(object.entries.len(), 5, "what has expired is there to be changed");
    assert_eq!(first.policy.parts().acls[0].len(), 4);
    assert!(first.policy.term().contains(SystemTime::now().into()));
    room.by_hand(&FILE.replace("2099-12-01", "2088-12-01"));
    let turned = replace_acl(IpAclObject { default: Action::Allow, ..object });
    let refused = room.editor.apply(&first, turned, None, fine).await;
    assert!(matches!(refused, Err(crate::store::edit::EditError::Conflict(_))), "{refused:?}");
}
