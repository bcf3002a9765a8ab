//! Reloads over real files.

use super::super::watch::Events;
use super::*;
use crate::telemetry::metrics::Format;
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

const GENEROUS: Duration = Duration::from_secs(20);

fn policy(list: &str) -> String {
    format!(
        "[upstream]\nurl = \"http://127.0.0.1:9011\"\n\n[[ip_acl]]\nname = \"a\"\ndefault = \"block\"\n\
         allow_files = [\"{list}\"]\n"
    )
}

fn reloader(directory: &Path) -> Reloader {
    std::fs::write(directory.join("a.netset"), "192.0.2.1\n").unwrap();
    std::fs::write(directory.join("gateway.toml"), policy("a.netset")).unwrap();
    let loader = Loader::new(directory.join("gateway.toml"));
    let first = loader.load().unwrap();
    Reloader::new(loader, first, LogControl::none(), Arc::new(Metrics::new(0)))
}

#[tokio::test]
async fn the_same_content_is_not_swapped_in_again() {
    let directory = tempfile::tempdir().unwrap();
    let reloader = reloader(directory.path());
    let first = reloader.store().load();
    std::fs::write(directory.path().join("gateway.toml"), policy("a.netset")).unwrap();
    assert_eq!(reloader.reload().await.unwrap(), Reloaded::Unchanged { revision: 1 });
    assert!(Arc::ptr_eq(&first, &reloader.store().load()));
}

#[tokio::test]
async fn a_new_list_is_a_new_revision() {
    let directory = tempfile::tempdir().unwrap();
    let reloader = reloader(directory.path());
    let mut changes = reloader.store().changes();
    std::fs::write(directory.path().join("a.netset"), "192.0.2.2\n").unwrap();
    assert_eq!(reloader.reload().await.unwrap(), Reloaded::Swapped { revision: 2 });
    assert!(changes.has_changed().unwrap());
    assert_eq!(*changes.borrow_and_update(), 2);
    assert_eq!(reloader.status().revision, 2);
}

#[tokio::test]
async fn a_bad_file_changes_nothing_and_a_good_one_heals() {
    let directory = tempfile::tempdir().unwrap();
    let reloader = reloader(directory.path());
    let first = reloader.store().load();
    let file = directory.path().join("gateway.toml");
    std::fs::write(&file, "[upstream\n").unwrap();
    assert!(reloader.reload().await.is_err());
    assert!(Arc::ptr_eq(&first, &reloader.store().load()));
    let status = reloader.status();
    assert_eq!(status.revision, 1);
    assert!(status.failure.as_deref().is_some_and(|failure| failure.contains("gateway.toml")), "{status:?}");
    std::fs::write(&file, policy("a.netset")).unwrap();
    assert_eq!(reloader.reload().await.unwrap(), Reloaded::Unchanged { revision: 1 });
    assert_eq!(reloader.status().failure, None);
    let text = reloader.metrics.render(Format::OpenMetrics);
    for line in ["result=\"failed\"} 1", "result=\"unchanged\"} 1", "result=\"swapped\"} 0"] {
        assert!(text.contains(&format!("aclgate_reloads_total{{{line}")), "{line}\n{text}");
    }
}

#[tokio::test]
async fn a_missing_file_changes_nothing_and_may_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let reloader = reloader(directory.path());
    let file = directory.path().join("gateway.toml");
    let watcher = Watcher::start(vec![file.clone()], Events::Ignore).unwrap();
    std::fs::remove_file(&file).unwrap();
    reloader.follow(&watcher).await;
    assert!(reloader.status().failure.is_some());
    assert_eq!(reloader.store().load().revision, 1);
    std::fs::write(&file, policy("a.netset")).unwrap();
    reloader.follow(&watcher).await;
    assert_eq!((reloader.status().failure.clone(), reloader.store().load().revision), (None, 1));
}

#[tokio::test]
async fn what_needs_a_restart_is_named_until_it_is_taken_back() {
    let directory = tempfile::tempdir().unwrap();
    let reloader = reloader(directory.path());
    let file = directory.path().join("gateway.toml");
    let moved = format!("[server]\nlisten = [\"127.0.0.1:1234\"]\n{}", policy("a.netset"));
    std::fs::write(&file, &moved).unwrap();
    reloader.reload().await.unwrap();
    assert_eq!(reloader.status().pending_restart.len(), 1);
    std::fs::write(&file, format!("{moved}\n# a comment\n")).unwrap();
    reloader.reload().await.unwrap();
    assert_eq!(reloader.status().pending_restart.len(), 1, "it still differs from what runs");
    std::fs::write(&file, policy("a.netset")).unwrap();
    reloader.reload().await.unwrap();
    assert_eq!(reloader.status().pending_restart, Vec::<String>::new());
}

#[tokio::test]
async fn retired_snapshots_are_kept_until_nobody_holds_them() {
    let directory = tempfile::tempdir().unwrap();
    let reloader = reloader(directory.path());
    let held = reloader.store().load();
    std::fs::write(directory.path().join("a.netset"), "192.0.2.2\n").unwrap();
    reloader.reload().await.unwrap();
    reloader.sweep();
    assert_eq!(reloader.retired.lock().unwrap().len(), 1);
    drop(held);
    reloader.sweep();
    assert_eq!(reloader.retired.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_reader_sees_the_swap_and_keeps_what_it_began_with() {
    let directory = tempfile::tempdir().unwrap();
    let reloader = reloader(directory.path());
    let reader = super::super::SnapshotReader::new(Arc::clone(reloader.store()));
    let begun = reader.load();
    std::fs::write(directory.path().join("a.netset"), "192.0.2.2\n").unwrap();
    reloader.reload().await.unwrap();
    assert_eq!((begun.revision, reader.load().revision), (1, 2));
}

/// The whole way: a change on disk, noticed, loaded and swapped in; also of a file that only the new one names.
#[tokio::test]
async fn changes_on_disk_come_into_force() {
    let directory = tempfile::tempdir().unwrap();
    let reloader = Arc::new(reloader(directory.path()));
    let mut changes = reloader.store().changes();
    let files = reloader.hold().await.last.files.clone();
    let watcher = Watcher::start(files, Events::Use).unwrap();
    let task = tokio::spawn({
        let reloader = Arc::clone(&reloader);
        async move { reloader.run(watcher).await }
    });
    std::fs::write(directory.path().join("b.netset"), "192.0.2.3\n").unwrap();
    std::fs::write(directory.path().join("gateway.toml"), policy("b.netset")).unwrap();
    timeout(GENEROUS, changes.changed()).await.unwrap().unwrap();
    std::fs::write(directory.path().join("b.netset"), "192.0.2.4\n").unwrap();
    timeout(GENEROUS, changes.changed()).await.unwrap().unwrap();
    task.abort();
}

/// Who writes the file while holding the reloader makes one revision of it, not two.
#[tokio::test]
async fn our_own_write_is_one_revision() {
    let directory = tempfile::tempdir().unwrap();
    let reloader = reloader(directory.path());
    let files = reloader.hold().await.last.files.clone();
    let mut watcher = Watcher::start(files, Events::Use).unwrap();
    let mut held = reloader.hold().await;
    let text = format!("{}\n# by the management API\n", policy("a.netset"));
    let candidate = reloader.loader().load_text(&text).unwrap();
    std::fs::write(reloader.loader().path(), &text).unwrap();
    assert_eq!(held.install(candidate), Reloaded::Swapped { revision: 2 });
    drop(held);
    timeout(GENEROUS, watcher.changed()).await.unwrap().unwrap();
    reloader.follow(&watcher).await;
    assert_eq!(reloader.store().load().revision, 2);
}
