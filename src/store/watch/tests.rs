//! Real directories, real events. Nothing sleeps: each test waits for the signal, with a generous time-out.

use super::*;
use std::path::Path;
use tokio::time::timeout;

const GENEROUS: Duration = Duration::from_secs(20);

/// A watcher whose first signal, which comes by itself, has been taken.
async fn watching(file: &Path, events: Events) -> Watcher {
    let mut watcher = Watcher::start(vec![file.to_owned()], events).unwrap();
    signal(&mut watcher).await;
    watcher
}

async fn signal(watcher: &mut Watcher) {
    timeout(GENEROUS, watcher.changed()).await.expect("a signal").expect("a thread");
}

async fn each_way(test: impl AsyncFn(&Path, Events)) {
    for events in [Events::Use, Events::Ignore] {
        let directory = tempfile::tempdir().unwrap();
        test(directory.path(), events).await;
    }
}

#[tokio::test]
async fn an_editors_rename() {
    each_way(async |directory, events| {
        let file = directory.join("gateway.toml");
        std::fs::write(&file, "a").unwrap();
        let mut watcher = watching(&file, events).await;
        for text in ["b", "c"] {
            std::fs::write(directory.join("new"), text).unwrap();
            std::fs::rename(directory.join("new"), &file).unwrap();
            signal(&mut watcher).await;
        }
    })
    .await;
}

#[tokio::test]
async fn truncate_and_write() {
    each_way(async |directory, events| {
        let file = directory.join("gateway.toml");
        std::fs::write(&file, "a").unwrap();
        let mut watcher = watching(&file, events).await;
        for text in ["bb", "ccc"] {
            std::fs::write(&file, text).unwrap();
            signal(&mut watcher).await;
        }
    })
    .await;
}

#[tokio::test]
async fn removed_and_written_again() {
    each_way(async |directory, events| {
        let file = directory.join("gateway.toml");
        std::fs::write(&file, "a").unwrap();
        let mut watcher = watching(&file, events).await;
        std::fs::remove_file(&file).unwrap();
        signal(&mut watcher).await;
        std::fs::write(&file, "a").unwrap();
        signal(&mut watcher).await;
    })
    .await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_that_leads_elsewhere_and_its_target() {
    use std::os::unix::fs::symlink;
    each_way(async |directory, events| {
        let elsewhere = tempfile::tempdir().unwrap();
        let (one, two) = (elsewhere.path().join("1"), elsewhere.path().join("2"));
        std::fs::write(&one, "a").unwrap();
        std::fs::write(&two, "a").unwrap();
        let file = directory.join("gateway.toml");
        symlink(&one, &file).unwrap();
        let mut watcher = watching(&file, events).await;
        std::fs::write(&one, "bb").unwrap();
        signal(&mut watcher).await;
        symlink(&two, directory.join("new")).unwrap();
        std::fs::rename(directory.join("new"), &file).unwrap();
        signal(&mut watcher).await;
        std::fs::write(&two, "ccc").unwrap();
        signal(&mut watcher).await;
    })
    .await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_config_maps_swap() {
    use std::os::unix::fs::symlink;
    each_way(async |directory, events| {
        let publish = |version: &str, text: &str| {
            std::fs::create_dir(directory.join(version)).unwrap();
            std::fs::write(directory.join(version).join("gateway.toml"), text).unwrap();
            symlink(version, directory.join("..data_tmp")).unwrap();
            std::fs::rename(directory.join("..data_tmp"), directory.join("..data")).unwrap();
        };
        publish("..1", "a");
        let file = directory.join("gateway.toml");
        symlink("..data/gateway.toml", &file).unwrap();
        let mut watcher = watching(&file, events).await;
        for version in ["..2", "..3"] {
            publish(version, "a");
            signal(&mut watcher).await;
        }
        std::fs::remove_dir_all(directory.join("..1")).unwrap();
        publish("..4", "a");
        signal(&mut watcher).await;
    })
    .await;
}

#[tokio::test]
async fn a_directory_that_is_replaced() {
    each_way(async |root, events| {
        let directory = root.join("etc");
        std::fs::create_dir(&directory).unwrap();
        let file = directory.join("gateway.toml");
        std::fs::write(&file, "a").unwrap();
        let mut watcher = watching(&file, events).await;
        std::fs::create_dir(root.join("new")).unwrap();
        std::fs::write(root.join("new/gateway.toml"), "b").unwrap();
        std::fs::rename(&directory, root.join("old")).unwrap();
        std::fs::rename(root.join("new"), &directory).unwrap();
        signal(&mut watcher).await;
        std::fs::write(&file, "ccc").unwrap();
        signal(&mut watcher).await;
    })
    .await;
}

#[tokio::test]
async fn other_files_are_watched_when_told() {
    each_way(async |directory, events| {
        let (one, two) = (directory.join("1"), directory.join("2"));
        std::fs::write(&one, "a").unwrap();
        let mut watcher = watching(&one, events).await;
        watcher.set_files(vec![one, two.clone()]);
        signal(&mut watcher).await;
        std::fs::write(&two, "it was not there before").unwrap();
        signal(&mut watcher).await;
    })
    .await;
}

#[test]
fn our_own_reading_is_no_change() {
    use notify::event::{CreateKind, ModifyKind};
    assert!(!is_change(&EventKind::Access(AccessKind::Open(AccessMode::Any))));
    assert!(!is_change(&EventKind::Access(AccessKind::Close(AccessMode::Read))));
    assert!(is_change(&EventKind::Access(AccessKind::Close(AccessMode::Write))));
    assert!(is_change(&EventKind::Create(CreateKind::Any)));
    assert!(is_change(&EventKind::Modify(ModifyKind::Any)));
}
