//! What is counted, and what of it outlives a reload; against a naive twin.

use super::*;
use crate::policy::NoFiles;
use crate::policy::decide::Subject;
use crate::policy::moment::Moment;
use crate::policy::range::AddressRange;
use crate::policy::subject::{Assignment, Mode};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::net::IpAddr;

fn policy(acls: &str) -> Policy {
    let text = format!("[upstream]\nurl = \"http://127.0.0.1:1\"\n{acls}");
    let outcome = crate::config::load(&text, "gateway.toml", &NoFiles, Moment::FIRST);
    outcome.loaded.unwrap_or_else(|| panic!("{}", outcome.findings.render(false))).policy
}

fn acl(name: &str, default: &str, allow: &str, block: &str) -> String {
    format!("[[ip_acl]]\nname = \"{name}\"\ndefault = \"{default}\"\nallow = [{allow}]\nblock = [{block}]\n")
}

/// Has an ACL of the policy tested for a client, as a decision does.
fn test(hits: &Hits, acl: usize, (worker, client): (usize, &str), after: Duration) {
    let acl = Arc::clone(hits.acls().nth(acl).unwrap().acl());
    let verdict = acl.test(client.parse::<IpAddr>().ok());
    let assignment = Assignment { acl, mode: Mode::Enforce };
    let check = Check { subject: Subject::Loopback, assignment: Some(&assignment), verdict };
    hits.count(worker, &check, hits.epoch.instant + after);
}

/// Entries as text, and how often each was hit.
fn entries(hits: &Hits, acl: usize) -> Vec<(String, u64)> {
    let acl = hits.acls().nth(acl).unwrap();
    acl.entries().map(|(entry, hit)| (format!("{:?} {}", entry.action, entry.range), hit.count)).collect()
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn workers_are_summed_and_the_last_hit_is_the_latest() {
    let text = acl("a", "block", "\"192.0.2.0/24\", \"2001:db8::/32\"", "\"192.0.2.66\"");
    let hits = Hits::new(&policy(&(text + &acl("b", "allow", "", ""))), 2, Epoch::now());
    for (worker, client, after) in
        [(0, "192.0.2.1", 3), (1, "192.0.2.1", 5), (0, "192.0.2.1", 4), (1, "2001:db8::1", 6)]
    {
        test(&hits, 0, (worker, client), after * SECOND);
    }
    test(&hits, 0, (0, "192.0.2.66"), SECOND);
    test(&hits, 0, (0, "203.0.113.9"), SECOND);
    test(&hits, 0, (0, "unknown"), SECOND);
    test(&hits, 1, (1, "203.0.113.9"), Duration::ZERO);
    // Nobody has a table for this one.
    test(&hits, 0, (2, "192.0.2.1"), SECOND);
    let expected = [("Allow 192.0.2.0/24", 3), ("Block 192.0.2.66", 1), ("Allow 2001:db8::/32", 1)];
    assert_eq!(entries(&hits, 0), expected.map(|(entry, count)| (entry.to_owned(), count)));
    let (a, b) = (hits.acls().next().unwrap(), hits.acls().nth(1).unwrap());
    let latest = a.entries().next().unwrap().1.last.unwrap();
    assert_eq!(latest.duration_since(hits.since()).unwrap(), 5 * SECOND);
    assert_eq!((a.by_entries(Action::Allow).count, a.by_entries(Action::Block).count), (4, 1));
    assert_eq!((a.default_action().count, a.undetermined().count), (1, 1));
    assert_eq!(b.default_action(), Hit { count: 1, last: Some(hits.since()) });
    assert_eq!(b.undetermined(), Hit::default());
}

#[test]
fn what_is_the_same_outlives_a_reload() {
    let first = policy(&acl("a", "block", "\"192.0.2.1\", \"192.0.2.2\", \"192.0.2.3\"", ""));
    let earlier = Hits::new(&first, 1, Epoch::now());
    for client in ["192.0.2.1", "192.0.2.2", "192.0.2.3", "203.0.113.9", "unknown"] {
        test(&earlier, 0, (0, client), 7 * SECOND);
    }
    // Another order, one entry gone, one with another action, one new, another default.
    let text = acl("new", "block", "", "\"192.0.2.1\"")
        + &acl("a", "allow", "\"10.0.0.0/8\", \"192.0.2.1\"", "\"192.0.2.3\"");
    let later = Hits::new(&policy(&text), 1, earlier.epoch);
    for part in [Part::Totals, Part::Entries, Part::Entries, Part::Totals] {
        later.take_over(&earlier, part);
    }
    let expected = [("Allow 10.0.0.0/8", 0), ("Allow 192.0.2.1", 1), ("Block 192.0.2.3", 0)];
    assert_eq!(entries(&later, 1), expected.map(|(entry, count)| (entry.to_owned(), count)));
    assert_eq!(entries(&later, 0), [("Block 192.0.2.1".to_owned(), 0)]);
    let acl = later.acls().nth(1).unwrap();
    let last = acl.entries().nth(1).unwrap().1.last.unwrap();
    assert_eq!(last.duration_since(later.since()).unwrap(), 7 * SECOND);
    assert_eq!((acl.by_entries(Action::Allow).count, acl.by_entries(Action::Block).count), (3, 0));
    assert_eq!((acl.default_action().count, acl.undetermined().count), (0, 1));
    // A worker that had not seen the new revision yet.
    test(&earlier, 0, (0, "192.0.2.1"), 8 * SECOND);
    test(&later, 1, (0, "192.0.2.1"), 9 * SECOND);
    later.take_over(&earlier, Part::Entries);
    assert_eq!(entries(&later, 1)[1].1, 3);
}

#[test]
fn the_same_acl_in_memory_needs_no_search() {
    let policy = policy(&acl("a", "block", "\"192.0.2.1\"", ""));
    let (earlier, later) = (Hits::new(&policy, 1, Epoch::now()), Hits::new(&policy, 1, Epoch::now()));
    test(&earlier, 0, (0, "192.0.2.1"), SECOND);
    later.take_over(&earlier, Part::Entries);
    assert_eq!(entries(&later, 0)[0].1, 1);
}

type Rows = Vec<(u8, u8, bool)>;

/// Ranges of `10.0.0.x` with their actions, as a policy; the same range twice is one entry.
fn small(rows: &Rows) -> Policy {
    let list = |wanted: bool| {
        let mut text = String::new();
        for (start, length, _) in rows.iter().filter(|(_, _, allow)| *allow == wanted) {
            write!(text, "\"10.0.0.{start}-10.0.0.{}\", ", start.saturating_add(*length)).unwrap();
        }
        text
    };
    policy(&acl("a", "block", &list(true), &list(false)))
}

/// By range and action; only what was hit.
fn hit_ranges(hits: &Hits) -> HashMap<(AddressRange, Action), u64> {
    let mut sums = HashMap::new();
    for (entry, hit) in hits.acls().flat_map(|acl| acl.entries()).filter(|(_, hit)| hit.count > 0) {
        *sums.entry((entry.range, entry.action)).or_default() += hit.count;
    }
    sums
}

proptest! {
    #[test]
    fn a_reload_keeps_what_the_naive_twin_keeps(
        before in prop::collection::vec((0..16_u8, 0..6_u8, any::<bool>()), 0..12),
        after in prop::collection::vec((0..16_u8, 0..6_u8, any::<bool>()), 0..12),
        clients in prop::collection::vec((0..2_usize, 0..24_u8), 0..60),
    ) {
        let earlier = Hits::new(&small(&before), 2, Epoch::now());
        let mut naive: HashMap<(AddressRange, Action), u64> = HashMap::new();
        for (worker, client) in &clients {
            let client = format!("10.0.0.{client}");
            test(&earlier, 0, (*worker, &client), SECOND);
            let acl = earlier.acls().next().unwrap();
            if let Matched::Entry(id) = acl.acl().test(client.parse().ok()).matched {
                let entry = acl.acl().entry(id).unwrap();
                *naive.entry((entry.range, entry.action)).or_default() += 1;
            }
        }
        prop_assert_eq!(hit_ranges(&earlier), naive.clone());
        let later = Hits::new(&small(&after), 2, earlier.epoch);
        later.take_over(&earlier, Part::Entries);
        let acl = Arc::clone(later.acls().next().unwrap().acl());
        // An entry that an equal one with the other action overrides decides nothing.
        naive.retain(|(range, action), _| {
            let equals = || acl.entries().filter(|entry| entry.range == *range);
            equals().any(|entry| entry.action == *action)
                && (*action == Action::Block || equals().all(|entry| entry.action == Action::Allow))
        });
        prop_assert_eq!(hit_ranges(&later), naive);
    }
}
