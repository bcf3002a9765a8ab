//! Expiry under a clock that the test sets, and a paused timer.

use super::*;
use crate::store::watch::{Events, Watcher};
use crate::store::{Candidate, Loader, Reloader};
use crate::telemetry::logging::LogControl;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::time::timeout;

const POLICY: &str = r#"
[upstream]
url = "http://127.0.0.1:9011"

[admin]
listen = "127.0.0.1:0"
api_keys = [{ name = "ops", sha256 = "1111111111111111111111111111111111111111111111111111111111111111", ip_acl = "a" }]

[[ip_acl]]
name = "a"
default = "block"
allow = [{ range = "192.0.2.1", expires = 1970-01-01T00:00:10Z }, { range = "192.0.2.2", expires = 1970-01-01T00:00:20Z }]

[[ip_acl]]
name = "b"
default = "block"

[[tenant]]
id = "t"
ip_acl = "a"

[[application]]
id = "own"
tenant = "t"
ip_acl = "b"

[[application]]
id = "its-tenant-s"
tenant = "t"

[[resource_server]]
identifier = "https://a.example/"
ip_acl = "a"

[[path]]
prefix = "/a/"
ip_acl = "a"

[[api_key]]
name = "ci"
sha256 = "2222222222222222222222222222222222222222222222222222222222222222"
ip_acl = "a"
"#;

/// A gateway's store, and the hands of its clock in milliseconds since 1970.
struct Room {
    folder: tempfile::TempDir,
    hands: Arc<AtomicI64>,
    reloader: Arc<Reloader>,
}

impl Room {
    fn at(millis: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gateway.toml");
        std::fs::write(&file, POLICY).unwrap();
        let hands = Arc::new(AtomicI64::new(millis));
        let clock = Clock::of({
            let hands = Arc::clone(&hands);
            move || Moment::from_millis(hands.load(Ordering::SeqCst))
        });
        let loader = Loader::new(file).with_clock(clock);
        let first: Candidate = loader.load().unwrap();
        let reloader = Arc::new(Reloader::new(loader, first, LogControl::none(), Arc::new(Metrics::new(0))));
        Self { folder, hands, reloader }
    }

    /// Runs the reloader on the file.
    fn run(&self) -> tokio::task::JoinHandle<()> {
        let watcher = Watcher::start(vec![self.file()], Events::Ignore).unwrap();
        let reloader = Arc::clone(&self.reloader);
        tokio::spawn(async move { reloader.run(watcher).await })
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("gateway.toml")
    }

    /// Turns the hands and waits for what comes into force.
    async fn turn(&self, millis: i64) -> Arc<Snapshot> {
        let mut changes = self.reloader.store().changes();
        changes.borrow_and_update();
        self.hands.store(millis, Ordering::SeqCst);
        timeout(Duration::from_secs(20), changes.changed()).await.expect("a swap").unwrap();
        self.reloader.store().load()
    }
}

/// Which of the two addresses get through, by every way to the ACL.
fn allowed(snapshot: &Snapshot) -> [bool; 2] {
    let parts = snapshot.policy.parts();
    let admin = snapshot.config.admin.as_ref().unwrap();
    let given = [
        parts.tenants[0].assignment.as_ref(),
        parts.applications[1].tenant.as_ref().unwrap().assignment.as_ref(),
        parts.resource_servers[0].assignment.as_ref(),
        Some(&parts.path_rules[0].assignment),
        parts.api_keys[0].assignment.as_ref(),
    ];
    let acls = given
        .into_iter()
        .map(|given| &given.unwrap().acl)
        .chain([&parts.acls[0], admin.api_keys[0].ip_acl.as_ref().unwrap()]);
    let found: Vec<_> = acls
        .map(|acl| {
            ["192.0.2.1", "192.0.2.2"].map(|address| {
                acl.test(Some(address.parse().unwrap())).action == crate::policy::acl::Action::Allow
            })
        })
        .collect();
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{found:?}");
    let first = found[0];
    let union = ["192.0.2.1", "192.0.2.2"]
        .map(|address| !snapshot.policy.resource_server_acls().any_blocks(Some(address.parse().unwrap())));
    assert_eq!(union, first);
    first
}

#[tokio::test]
async fn entries_expire_by_themselves_and_come_back_when_the_clock_is_set_back() {
    let room = Room::at(5_000);
    let task = room.run();
    let first = room.reloader.store().load();
    assert_eq!((allowed(&first), first.revision), ([true, true], 1));
    let second = room.turn(10_000).await;
    assert_eq!((allowed(&second), second.revision), ([false, true], 2));
    assert_eq!(second.digest, first.digest, "the file is what it was");
    assert_eq!(differences(&first, &second), ["a: 192.0.2.1 expired"]);
    assert_eq!(room.reloader.status().revision, 2);
    let third = room.turn(i64::MAX).await;
    assert_eq!(allowed(&third), [false, false]);
    let fourth = room.turn(9_999).await;
    assert_eq!(allowed(&fourth), [true, true]);
    let back = "is back, as the clock was set back";
    assert_eq!(
        differences(&third, &fourth),
        [format!("a: 192.0.2.1 {back}"), format!("a: 192.0.2.2 {back}")]
    );
    let share = |snapshot: &Snapshot| Arc::as_ptr(&snapshot.policy.parts().acls[1]);
    assert_eq!(share(&first), share(&fourth), "what does not expire is not compiled again");
    task.abort();
}

#[tokio::test]
async fn entries_expire_while_the_file_is_broken() {
    let room = Room::at(5_000);
    std::fs::write(room.file(), "broken").unwrap();
    assert!(room.reloader.reload().await.is_err());
    let task = room.run();
    assert_eq!(allowed(&*room.turn(15_000).await), [false, true]);
    assert!(room.reloader.status().failure.is_some(), "which is still said");
    task.abort();
}

/// The time goes on as the timer does: then nothing is in force a moment too long, and the next reload has nothing to do.
#[tokio::test(start_paused = true)]
async fn the_next_expiry_is_waited_for_to_the_millisecond() {
    let room = Room::at(0);
    let begun = tokio::time::Instant::now();
    let clock = Clock::of(move || Moment::from_millis(i64::try_from(begun.elapsed().as_millis()).unwrap()));
    let store = room.reloader.store();
    outdated(store, &clock).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(10));
    let metrics = Metrics::new(0);
    let next = as_of(&store.load(), &clock, &metrics);
    assert_eq!(allowed(&next), [false, true]);
    store.swap(next);
    outdated(store, &clock).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(20));
    store.swap(as_of(&store.load(), &clock, &metrics));
    let more = timeout(Duration::from_secs(3600), outdated(store, &clock)).await;
    assert!(more.is_err(), "nothing is left to expire");
}

#[tokio::test]
async fn a_reload_of_the_same_file_after_an_expiry_is_a_new_revision() {
    let room = Room::at(5_000);
    room.hands.store(12_000, Ordering::SeqCst);
    let reloaded = room.reloader.reload().await.unwrap();
    assert_eq!(reloaded, crate::store::Reloaded::Swapped { revision: 2 });
    assert_eq!(allowed(&room.reloader.store().load()), [false, true]);
    let reloaded = room.reloader.reload().await.unwrap();
    assert_eq!(reloaded, crate::store::Reloaded::Unchanged { revision: 2 });
}
