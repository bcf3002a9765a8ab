//! ACLs as their authors see them.

use super::*;
use serde_json::json;

const PLACE: Place = Place { file: 0, line: 1 };

fn acl(default: Action, entries: &[(&str, Action)]) -> IpAcl {
    let mut builder = IpAclBuilder::new(Uuid::nil(), "test", default);
    for (line, (range, action)) in (1..).zip(entries) {
        builder.push(range.parse().unwrap(), *action, Place { file: 0, line });
    }
    builder.build()
}

/// The action and the line of the entry that decided; line 0 is the default.
fn test(acl: &IpAcl, client: &str) -> (Action, u32) {
    let verdict = acl.test(Some(client.parse().unwrap()));
    match verdict.matched {
        Matched::Entry(id) => {
            let entry = acl.entry(id).unwrap();
            assert_eq!(entry.action, verdict.action);
            assert!(entry.range.contains(client.parse().unwrap()));
            (verdict.action, entry.place.line)
        }
        Matched::Default => (verdict.action, 0),
        Matched::Undetermined => panic!("{client} is known"),
    }
}

use Action::{Allow, Block};

/// The two examples of FusionAuth's documentation, at and around every edge.
#[test]
fn examples_of_the_seed_document() {
    let one = acl(Block, &[("71.205.92.217-76.104.251.50", Allow)]);
    #[rustfmt::skip]
    let cases = [
        ("0.0.0.0", Block, 0), ("71.205.92.216", Block, 0), ("71.205.92.217", Allow, 1), ("71.205.92.218", Allow, 1),
        ("72.0.0.0", Allow, 1), ("75.255.255.255", Allow, 1), ("76.104.251.49", Allow, 1), ("76.104.251.50", Allow, 1),
        ("76.104.251.51", Block, 0), ("255.255.255.255", Block, 0), ("::", Block, 0), ("::1", Block, 0),
        ("::ffff:72.0.0.0", Allow, 1), ("::72.0.0.0", Block, 0), ("2001:db8::1", Block, 0),
    ];
    for (client, action, line) in cases {
        assert_eq!(test(&one, client), (action, line), "{client}");
    }
    let two = acl(Allow, &[("76.104.0.0-76.104.255.255", Block), ("71.205.0.0-71.205.255.255", Block)]);
    #[rustfmt::skip]
    let cases = [
        ("0.0.0.0", Allow, 0), ("71.204.255.255", Allow, 0), ("71.205.0.0", Block, 2), ("71.205.0.1", Block, 2),
        ("71.205.255.254", Block, 2), ("71.205.255.255", Block, 2), ("71.206.0.0", Allow, 0), ("74.0.0.0", Allow, 0),
        ("76.103.255.255", Allow, 0), ("76.104.0.0", Block, 1), ("76.104.0.1", Block, 1), ("76.104.255.254", Block, 1),
        ("76.104.255.255", Block, 1), ("76.105.0.0", Allow, 0), ("255.255.255.255", Allow, 0),
        ("::ffff:76.104.0.0", Block, 1), ("::76.104.0.0", Allow, 0), ("2001:db8::1", Allow, 0),
    ];
    for (client, action, line) in cases {
        assert_eq!(test(&two, client), (action, line), "{client}");
    }
}

#[test]
fn an_unknown_client_is_blocked_whatever_the_default() {
    for acl in [acl(Allow, &[]), acl(Block, &[]), acl(Allow, &[("0.0.0.0/0", Allow), ("::/0", Allow)])] {
        assert_eq!(acl.test(None), Verdict { action: Block, matched: Matched::Undetermined });
    }
}

#[test]
fn narrowest_wins_and_block_breaks_ties() {
    let acl = acl(
        Block,
        &[
            ("10.0.0.0/8", Allow),
            ("10.1.0.0/16", Block),
            ("10.1.2.3", Allow),
            ("10.1.2.4", Allow),
            ("10.1.2.4", Block),
            ("10.2.0.0-10.2.0.9", Allow),
            ("10.2.0.5-10.2.0.14", Block),
            ("2001:db8::/32", Allow),
            ("2001:db8:1::/48", Block),
        ],
    );
    #[rustfmt::skip]
    let cases = [
        ("9.255.255.255", Block, 0), ("10.0.0.0", Allow, 1), ("10.255.255.255", Allow, 1), ("11.0.0.0", Block, 0),
        ("10.1.0.0", Block, 2), ("10.1.2.2", Block, 2), ("10.1.2.3", Allow, 3), ("10.1.2.4", Block, 5),
        ("10.2.0.4", Allow, 6), ("10.2.0.5", Block, 7), ("10.2.0.9", Block, 7), ("10.2.0.14", Block, 7),
        ("10.2.0.15", Allow, 1), ("2001:db8::1", Allow, 8), ("2001:db8:1::1", Block, 9), ("2001:db9::", Block, 0),
        ("::ffff:10.1.2.3", Allow, 3),
    ];
    for (client, action, line) in cases {
        assert_eq!(test(&acl, client), (action, line), "{client}");
    }
}

#[test]
fn whole_families_are_apart() {
    let v6 = acl(Block, &[("::/0", Allow)]);
    assert_eq!(test(&v6, "::ffff:192.0.2.1"), (Block, 0));
    assert_eq!(test(&v6, "192.0.2.1"), (Block, 0));
    assert_eq!(test(&v6, "::192.0.2.1"), (Allow, 1));
    let v4 = acl(Block, &[("::ffff:0:0/96", Allow)]);
    assert_eq!(test(&v4, "192.0.2.1"), (Allow, 1));
    assert_eq!(test(&v4, "::1"), (Block, 0));
}

#[test]
fn of_equal_entries_the_first_written_is_named() {
    let mut builder = IpAclBuilder::new(Uuid::nil(), "test", Allow);
    for (file, line) in [(2, 1), (1, 9), (1, 7), (3, 1)] {
        builder.push("192.0.2.0/24".parse().unwrap(), Block, Place { file, line });
    }
    let acl = builder.build();
    let Matched::Entry(id) = acl.test(Some("192.0.2.7".parse().unwrap())).matched else { panic!("covered") };
    assert_eq!(acl.entry(id).unwrap().place, Place { file: 1, line: 7 });
    assert_eq!(acl.len(), 4);
}

#[test]
fn entries_come_back_by_address() {
    let written = ["::1", "10.0.0.0/8", "9.0.0.1-9.0.0.3", "::/0", "10.0.0.0/16", "10.0.0.0/8"];
    let acl = acl(Allow, &written.map(|range| (range, Block)));
    let entries: Vec<_> = acl.entries().map(|entry| (entry.range.to_string(), entry.place.line)).collect();
    let expected = [
        ("9.0.0.1-9.0.0.3", 3),
        ("10.0.0.0/8", 6),
        ("10.0.0.0/8", 2),
        ("10.0.0.0/16", 5),
        ("::/0", 4),
        ("::1", 1),
    ];
    assert_eq!(entries, expected.map(|(range, line)| (range.to_owned(), line)));
    assert_eq!(acl.entry(EntryId(5)).unwrap().place.line, 1);
    assert_eq!(acl.entry(EntryId(6)), None);
    assert_eq!(acl.entry(EntryId(u32::MAX)), None);
    assert!(!acl.is_empty());
}

#[test]
fn crossings_of_opposite_actions_are_listed() {
    let acl = acl(
        Allow,
        &[
            ("10.0.0.0-10.0.0.9", Allow),
            ("10.0.0.5-10.0.0.20", Block),
            ("10.0.0.15-10.0.0.30", Block),
            ("10.0.0.0/8", Allow),
            ("::5-::9", Block),
            ("::7-::20", Allow),
        ],
    );
    let lines = |limit| -> Vec<_> {
        acl.crossings(limit).iter().map(|(a, b)| (a.place.line, b.place.line)).collect()
    };
    assert_eq!(lines(10), [(1, 2), (5, 6)]);
    assert_eq!(lines(1), [(1, 2)]);
    assert_eq!(lines(0), []);
}

#[test]
fn keeps_what_it_carries() {
    let id = Uuid::from_u128(7);
    let data = json!({ "b": [1, null], "a": "x" });
    let mut builder =
        IpAclBuilder::new(id, "office", Block).instants(Some(-1), Some(5)).data(Some(data.clone()));
    builder.push("192.0.2.1".parse().unwrap(), Allow, PLACE);
    let acl = builder.build();
    assert_eq!((acl.id(), &**acl.name(), acl.default_action()), (id, "office", Block));
    assert_eq!((acl.insert_instant(), acl.last_update_instant()), (Some(-1), Some(5)));
    assert_eq!(acl.data().map(Value::to_string), Some(data.to_string()));
    assert!(format!("{acl:?}").contains("entries: 1"));
}
