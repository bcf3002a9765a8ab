//! Entries in every form in which they may come, and every mistake in them.

use super::*;
use serde_json::json;

fn read(entries: &Value) -> (Option<(Action, Vec<String>)>, Vec<String>) {
    let body = json!({ "ipAccessControlList": { "entries": entries } });
    let mut errors = Errors::default();
    let fields = Fields::of(body.as_object().unwrap(), IpAcls::NAME, &mut errors);
    let read = read_entries(&fields, &mut errors);
    let read = read.map(|(default, entries)| {
        let entries = entries.iter().map(|asked| format!("{:?} {}", asked.action, asked.range));
        (default, entries.collect())
    });
    let codes = errors.field_errors.values().flatten();
    (read, codes.map(|item| item.code.replace("ipAccessControlList.entries", "")).collect())
}

fn star() -> Value {
    json!({ "action": "Block", "startIPAddress": "*", "endIPAddress": "ignored" })
}

#[test]
fn entries_are_read() {
    let (read, errors) = read(&json!([
        { "action": "Allow", "startIPAddress": "76.104.0.0", "endIPAddress": "76.104.255.255" },
        star(),
        { "action": "Allow", "startIPAddress": " 10.0.0.1 ", "endIPAddress": "10.0.0.1" },
        { "action": "Block", "startIPAddress": "2001:db8::", "endIPAddress": "2001:db8::ff" },
        { "action": "Block", "startIPAddress": "2001:db8::/32" },
        { "action": "Block", "startIPAddress": "10.0.0.0/24", "endIPAddress": "10.0.0.255" },
        { "action": "Block", "startIPAddress": "::ffff:192.0.2.1", "endIPAddress": "192.0.2.9", "more": 1 },
    ]));
    assert_eq!(errors, Vec::<String>::new());
    let expected = [
        "Allow 76.104.0.0/16",
        "Allow 10.0.0.1",
        "Block 2001:db8::/120",
        "Block 2001:db8::/32",
        "Block 10.0.0.0/24",
        "Block 192.0.2.1-192.0.2.9",
    ];
    assert_eq!(read, Some((Action::Block, expected.map(str::to_owned).to_vec())));
}

#[rustfmt::skip]
fn wrong() -> Vec<(Value, &'static [&'static str])> {
    let entry = |start: &str, end: &str| json!([star(), { "action": "Allow", "startIPAddress": start, "endIPAddress": end }]);
    vec![
        (json!(null), &["[missing]"]),
        (json!([]), &["[missing]"]),
        (json!({}), &["[invalid]"]),
        (json!([1]), &["[missing]", "[invalid][0]"]),
        (json!([star(), star()]), &["[duplicate][1].startIPAddress"]),
        (json!([{ "startIPAddress": "*" }]), &["[missing][0].action"]),
        (json!([{ "action": "allow", "startIPAddress": "*" }]), &["[invalid][0].action"]),
        (json!([{ "action": "Allow", "startIPAddress": "10.0.0.0/8" }]), &["[missing]"]),
        (json!([star(), { "action": "Allow" }]), &["[blank][1].startIPAddress"]),
        (json!([star(), { "action": "Allow", "startIPAddress": 7 }]), &["[invalid][1].startIPAddress"]),
        (json!([star(), { "action": "Allow", "startIPAddress": "10.0.0.1" }]), &["[blank][1].endIPAddress"]),
        (json!([star(), { "action": "Allow", "startIPAddress": "10.0.0.1", "endIPAddress": 7 }]), &["[invalid][1].endIPAddress"]),
        (entry("10.0.0.2", "10.0.0.1"), &["[invalid][1].endIPAddress"]),
        (entry("10.0.0.2", "::1"), &["[invalid][1].endIPAddress"]),
        (entry("010.0.0.1", "x"), &["[invalid][1].endIPAddress", "[invalid][1].startIPAddress"]),
        (entry("10.0.0.1-10.0.0.2", "10.0.0.2"), &["[invalid][1].startIPAddress"]),
        (entry("10.0.0.1/8", ""), &["[invalid][1].startIPAddress"]),
        (entry("10.0.0.0/8", "10.0.0.9"), &["[invalid][1].endIPAddress"]),
        (
            json!([{ "action": "x", "startIPAddress": "y" }, 1]),
            &["[missing]", "[invalid][0].action", "[blank][0].endIPAddress", "[invalid][0].startIPAddress", "[invalid][1]"],
        ),
    ]
}

#[test]
fn everything_that_is_wrong_is_said() {
    for (entries, expected) in wrong() {
        assert_eq!(read(&entries).1, expected, "{entries}");
    }
}
