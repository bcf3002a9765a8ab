//! The editor over real files: conflicts, hand edits, refusals, writers at the same time.

use super::*;
use crate::store::edit::EditError;
use std::convert::Infallible;

fn conflict(result: Result<crate::store::edit::Applied, EditError>) -> String {
    match result {
        Err(EditError::Conflict(message)) => message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_change_is_in_the_file_and_in_force() {
    let room = Room::with(COMMENTED);
    let first = room.reloader.store().load();
    let applied = room.editor.apply(&first, create_acl(new_acl(7, "n")), None, fine).await.unwrap();
    assert_eq!((applied.revision, room.reloader.store().load().revision), (2, 2));
    assert!(Arc::ptr_eq(&applied.snapshot, &room.reloader.store().load()));
    assert!(room.text().contains("name = \"n\""));
    assert_eq!(room.names(), ["gateway.toml"]);
    let fresh = room.reloader.loader().load().unwrap();
    assert_eq!(fresh.digest, applied.snapshot.digest, "a restart finds the same");
    let again = room.editor.apply(&applied.snapshot, replace_acl(new_acl(7, "n")), None, fine).await.unwrap();
    assert_eq!(again.revision, 2, "nothing changed");
}

#[tokio::test]
async fn our_own_write_is_not_a_second_reload() {
    let room = Room::with(COMMENTED);
    let first = room.reloader.store().load();
    room.editor.apply(&first, create_acl(new_acl(7, "n")), None, fine).await.unwrap();
    assert_eq!(room.reloader.reload().await.unwrap(), crate::store::Reloaded::Unchanged { revision: 2 });
}

#[tokio::test]
async fn a_hand_edit_of_other_objects_is_merged() {
    let room = Room::with(COMMENTED);
    let first = room.reloader.store().load();
    room.by_hand(&COMMENTED.replace("name = \"spare\"", "name = \"reserve\"").replace("# Vienna", "# Wien"));
    let office = IpAclObject { default: Action::Allow, ..acl(&first.policy, "office") };
    let applied = room.editor.apply(&first, replace_acl(office), None, fine).await.unwrap();
    let text = room.text();
    assert!(
        text.contains("# Wien")
            && text.contains("\"reserve\"")
            && text.contains("default = \"allow\"\nallow")
    );
    assert_eq!(applied.revision, 3, "the hand edit, then the change");
}

#[tokio::test]
async fn a_hand_edit_of_the_same_object_is_a_conflict() {
    let room = Room::with(COMMENTED);
    let first = room.reloader.store().load();
    let edited = COMMENTED.replace("    \"198.51.100.0/24\", # main building\n", "");
    room.by_hand(&edited);
    let office = acl(&first.policy, "office");
    let change = replace_acl(IpAclObject { default: Action::Allow, ..office.clone() });
    let message = conflict(room.editor.apply(&first, change, None, fine).await);
    assert!(message.contains("was changed meanwhile"), "{message}");
    assert_eq!(room.text(), edited);
    room.by_hand(&edited.replace("[[ip_acl]] # the first", "[[ip_acl]]"));
    let deleted = Change::DeleteApiKey(key(&first.policy, "deploy").id);
    room.editor.apply(&first, deleted.clone(), None, fine).await.unwrap();
    let message = conflict(room.editor.apply(&first, deleted, None, fine).await);
    assert!(message.contains("was changed meanwhile"), "{message}");
}

#[tokio::test]
async fn a_broken_file_is_a_conflict_and_stays_as_it_is() {
    let room = Room::with(COMMENTED);
    let first = room.reloader.store().load();
    room.by_hand("[upstream\n");
    let message = conflict(room.editor.apply(&first, create_acl(new_acl(7, "n")), None, fine).await);
    assert!(message.contains("errors") && message.contains("gateway.toml:1:"), "{message}");
    assert_eq!((room.text().as_str(), room.names()), ("[upstream\n", vec!["gateway.toml".to_owned()]));
    assert_eq!(room.reloader.store().load().revision, 1);
    std::fs::remove_file(&room.file).unwrap();
    assert!(room.editor.apply(&first, create_acl(new_acl(7, "n")), None, fine).await.is_err());
    assert!(!room.file.exists());
}

#[cfg(unix)]
#[tokio::test]
async fn a_read_only_file_is_a_conflict() {
    use std::os::unix::fs::PermissionsExt as _;
    let room = Room::with(COMMENTED);
    let first = room.reloader.store().load();
    std::fs::set_permissions(&room.file, std::fs::Permissions::from_mode(0o444)).unwrap();
    let message = conflict(room.editor.apply(&first, create_acl(new_acl(7, "n")), None, fine).await);
    assert!(message.contains("read-only"), "{message}");
    assert_eq!(room.text(), COMMENTED);
}

#[tokio::test]
async fn what_would_not_be_valid_is_refused_with_its_findings() {
    let room = Room::with(COMMENTED);
    let first = room.reloader.store().load();
    let cases = [
        create_acl(new_acl(7, "office")),
        Change::DeleteIpAcl(acl(&first.policy, "office").id),
        Change::DeleteTenant("d7d09513-a3f5-401c-9685-34ab6c552453".into()),
        Change::Create(Object::ApiKey(ApiKeyObject {
            hash: key(&first.policy, "ci").hash,
            ..new_key(8, "x", None)
        })),
    ];
    for change in cases {
        match room.editor.apply(&first, change.clone(), None, fine).await {
            Err(EditError::Invalid(findings)) => assert!(findings.has_errors()),
            other => panic!("{change:?}: {other:?}"),
        }
        assert_eq!((room.text().as_str(), room.names()), (COMMENTED, vec!["gateway.toml".to_owned()]));
    }
    assert_eq!(room.reloader.store().load().revision, 1);
}

#[tokio::test]
async fn the_check_sees_the_candidate_and_can_refuse_it() {
    let room = Room::with(COMMENTED);
    let first = room.reloader.store().load();
    let check = |candidate: &crate::store::Snapshot| {
        assert_eq!((candidate.revision, candidate.policy.parts().acls.len()), (2, 4));
        Err("you would lock yourself out")
    };
    match room.editor.apply(&first, create_acl(new_acl(7, "n")), None, check).await {
        Err(EditError::Refused(message)) => assert_eq!(message, "you would lock yourself out"),
        other => panic!("{other:?}"),
    }
    assert_eq!((room.text().as_str(), room.names()), (COMMENTED, vec!["gateway.toml".to_owned()]));
}

#[tokio::test]
async fn entries_of_list_files_stay_there() {
    let room = Room::with("[upstream]\nurl = \"http://127.0.0.1:9\"\n");
    std::fs::write(room.folder.path().join("p.netset"), "# partners\n192.0.2.1\n192.0.2.2\n").unwrap();
    room.by_hand(&format!("{}\n[[ip_acl]]\nname = \"a\"\ndefault = \"block\"\nallow = [\"192.0.2.9\"]\nallow_files = [\"p.netset\"]\n", room.text()));
    room.reloader.reload().await.unwrap();
    let now = room.reloader.store().load();
    let mut object = acl(&now.policy, "a");
    assert_eq!(object.entries.len(), 3);
    object.entries.retain(|entry| entry.range.to_string() != "192.0.2.9");
    object.entries.push(EntryObject::plain("192.0.2.8".parse().unwrap(), Action::Block));
    let now = room.editor.apply(&now, replace_acl(object.clone()), None, fine).await.unwrap().snapshot;
    assert!(
        room.text().contains("allow = []\n") && room.text().contains("block = [\"192.0.2.8\"]\n"),
        "{}",
        room.text()
    );
    object.entries.retain(|entry| entry.range.to_string() != "192.0.2.2");
    let before = room.text();
    let message = conflict(room.editor.apply(&now, replace_acl(object), None, fine).await);
    assert!(message.contains("`192.0.2.2` (allow)") && message.contains("`p.netset`, line 3"), "{message}");
    assert_eq!(room.text(), before);
}

#[tokio::test]
async fn writers_at_the_same_time_come_one_after_the_other() {
    let room = Room::with(COMMENTED);
    let first = room.reloader.store().load();
    let tasks: Vec<_> = (1..=8)
        .map(|number| {
            let (editor, first) = (room.editor.clone(), Arc::clone(&first));
            tokio::spawn(async move {
                let change = create_acl(new_acl(number, &format!("n{number}")));
                editor.apply(&first, change, None, |_| Ok::<_, Infallible>(())).await.unwrap().revision
            })
        })
        .collect();
    let mut revisions = Vec::new();
    for task in tasks {
        revisions.push(task.await.unwrap());
    }
    revisions.sort_unstable();
    assert_eq!(revisions, (2..=9).collect::<Vec<_>>());
    assert_eq!(policy_of(&room.text()).parts().acls.len(), 3 + 8);
}

/// Nobody waits for the answer any more: the change is whole nevertheless.
#[tokio::test]
async fn a_dropped_future_does_not_stop_the_change() {
    let room = Room::with(COMMENTED);
    let first = room.reloader.store().load();
    let mut changes = room.reloader.store().changes();
    let check = |_: &crate::store::Snapshot| Ok::<_, Infallible>(());
    {
        let apply = room.editor.apply(&first, create_acl(new_acl(7, "n")), None, check);
        tokio::pin!(apply);
        tokio::select! {
            biased;
            _ = &mut apply => panic!("it cannot be over at once"),
            () = std::future::ready(()) => {}
        }
    }
    changes.changed().await.unwrap();
    assert!(room.text().contains("name = \"n\""));
}

#[tokio::test]
async fn the_watcher_hears_of_list_files_that_a_hand_edit_brought() {
    use crate::store::watch::{Events, Watcher};
    let room = Room::with("[upstream]\nurl = \"http://127.0.0.1:9\"\n");
    let watcher = Watcher::start(vec![room.file.clone()], Events::Use).unwrap();
    let reloader = Arc::clone(&room.reloader);
    let following = tokio::spawn(async move { reloader.run(watcher).await });
    std::fs::write(room.folder.path().join("p.netset"), "192.0.2.1\n").unwrap();
    room.by_hand(&format!(
        "{}\n[[ip_acl]]\nname = \"a\"\ndefault = \"block\"\nallow_files = [\"p.netset\"]\n",
        room.text()
    ));
    let first = room.reloader.store().load();
    let applied = room.editor.apply(&first, create_acl(new_acl(7, "n")), None, fine).await.unwrap();
    let mut changes = room.reloader.store().changes();
    changes.mark_unchanged();
    std::fs::write(room.folder.path().join("p.netset"), "192.0.2.2\n192.0.2.3\n").unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(20), changes.changed()).await.unwrap().unwrap();
    assert_eq!(room.reloader.store().load().revision, applied.revision + 1);
    following.abort();
}
