//! Changes on trial: undone in time, confirmed, across restarts, beside hand edits.

use super::*;
use crate::store::edit::EditError;
use crate::store::edit::trial::ENDING;
use std::time::Duration;

const MINUTE: Option<Duration> = Some(Duration::from_secs(60));
const RECORD: &str = ".gateway.toml.unconfirmed";

async fn on_trial(room: &Room, number: u128) -> Arc<crate::store::Snapshot> {
    let now = room.reloader.store().load();
    let change = create_acl(new_acl(number, &format!("n{number}")));
    room.editor.apply(&now, change, MINUTE, fine).await.unwrap().snapshot
}

async fn next_revision(room: &Room, after: u64) {
    let mut changes = room.reloader.store().changes();
    changes.wait_for(|revision| *revision > after).await.unwrap();
    // The record goes last, under the same hold.
    drop(room.reloader.hold().await);
}

#[test]
fn the_record_has_the_name_that_the_manual_gives() {
    assert_eq!(format!(".gateway.toml{ENDING}"), RECORD);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_confirmed_is_undone() {
    let room = Room::with(COMMENTED);
    on_trial(&room, 1).await;
    assert!(room.text().contains("\"n1\"") && room.names().contains(&RECORD.to_owned()));
    assert!(room.editor.unconfirmed_until().is_some());
    next_revision(&room, 2).await;
    assert_eq!((room.text().as_str(), room.names()), (COMMENTED, vec!["gateway.toml".to_owned()]));
    assert_eq!(room.reloader.store().load().policy.parts().acls.len(), 3);
    assert_eq!(room.editor.unconfirmed_until(), None);
    assert!(matches!(room.editor.confirm().await, Err(EditError::Conflict(_))));
}

#[tokio::test(start_paused = true)]
async fn what_is_confirmed_stays() {
    let room = Room::with(COMMENTED);
    on_trial(&room, 1).await;
    assert_eq!(room.editor.confirm().await.unwrap(), 2);
    assert_eq!(room.names(), ["gateway.toml"]);
    tokio::time::sleep(Duration::from_secs(120)).await;
    drop(room.reloader.hold().await);
    assert!(room.text().contains("\"n1\""));
    assert_eq!(room.reloader.store().load().revision, 2);
}

#[tokio::test(start_paused = true)]
async fn several_are_confirmed_or_undone_together() {
    let room = Room::with(COMMENTED);
    on_trial(&room, 1).await;
    tokio::time::sleep(Duration::from_secs(40)).await;
    on_trial(&room, 2).await;
    let now = room.reloader.store().load();
    let plain = room.editor.apply(&now, create_acl(new_acl(3, "n3")), None, fine).await;
    assert!(matches!(plain, Err(EditError::Conflict(_))), "{plain:?}");
    tokio::time::sleep(Duration::from_secs(40)).await;
    drop(room.reloader.hold().await);
    assert!(room.text().contains("\"n2\""), "the first timer is void");
    next_revision(&room, 3).await;
    assert_eq!(room.text(), COMMENTED);
}

#[tokio::test(start_paused = true)]
async fn hand_edits_elsewhere_survive_the_undoing() {
    let room = Room::with(COMMENTED);
    on_trial(&room, 1).await;
    room.by_hand(&room.text().replace("# the end", "# the very end"));
    next_revision(&room, 2).await;
    assert_eq!(room.text(), COMMENTED.replace("# the end", "# the very end"));
    assert_eq!(room.names(), ["gateway.toml"]);
}

#[tokio::test(start_paused = true)]
async fn a_hand_edit_in_the_same_place_is_left_alone() {
    let room = Room::with(COMMENTED);
    on_trial(&room, 1).await;
    let edited = room.text().replace("name = \"n1\"", "name = \"mine\"");
    room.by_hand(&edited);
    tokio::time::sleep(Duration::from_secs(61)).await;
    while room.editor.unconfirmed_until().is_some() {
        tokio::task::yield_now().await;
    }
    assert_eq!((room.text(), room.names()), (edited, vec!["gateway.toml".to_owned()]));
}

#[tokio::test]
async fn a_refused_change_leaves_the_trial_before_it_as_it_was() {
    let room = Room::with(COMMENTED);
    let now = on_trial(&room, 1).await;
    let record = std::fs::read(room.folder.path().join(RECORD)).unwrap();
    let refuse = |_: &crate::store::Snapshot| Err("no");
    room.editor.apply(&now, create_acl(new_acl(2, "n2")), MINUTE, refuse).await.unwrap_err();
    assert_eq!(std::fs::read(room.folder.path().join(RECORD)).unwrap(), record);
}

/// Sets the deadline of the record; the process that wrote it is gone.
fn restarted(room: Room, deadline: u64) -> Room {
    let path = room.folder.path().join(RECORD);
    let record = std::fs::read_to_string(&path).unwrap();
    let (header, texts) = record.split_once('\n').unwrap();
    let mut header: serde_json::Value = serde_json::from_str(header).unwrap();
    header["deadline"] = deadline.into();
    std::fs::write(&path, format!("{header}\n{texts}")).unwrap();
    Room::in_folder(room.folder)
}

const NEVER: u64 = 100_000_000_000_000;

#[tokio::test]
async fn what_ran_out_while_nobody_ran_is_undone_at_the_start() {
    let room = Room::with(COMMENTED);
    on_trial(&room, 1).await;
    let room = restarted(room, 1000);
    room.editor.resume().await;
    assert_eq!((room.text().as_str(), room.names()), (COMMENTED, vec!["gateway.toml".to_owned()]));
    assert_eq!(room.reloader.store().load().policy.parts().acls.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_still_runs_goes_on_running_after_a_restart() {
    for confirm in [true, false] {
        let room = Room::with(COMMENTED);
        on_trial(&room, 1).await;
        // Also if the clock was set back: no longer than it was to last.
        let room = restarted(room, NEVER);
        room.editor.resume().await;
        assert!(room.text().contains("\"n1\""));
        if confirm {
            room.editor.confirm().await.unwrap();
        } else {
            next_revision(&room, 1).await;
        }
        assert_eq!(
            (room.text().contains("\"n1\""), room.names()),
            (confirm, vec!["gateway.toml".to_owned()])
        );
    }
}

#[tokio::test]
async fn a_record_of_a_change_that_never_came_undoes_nothing() {
    let room = Room::with(COMMENTED);
    on_trial(&room, 1).await;
    room.by_hand(COMMENTED);
    let room = restarted(room, 1000);
    room.editor.resume().await;
    assert_eq!((room.text().as_str(), room.names()), (COMMENTED, vec!["gateway.toml".to_owned()]));
    assert_eq!(room.reloader.store().load().revision, 1);
}

#[tokio::test]
async fn without_a_record_nothing_is_resumed_and_a_damaged_one_is_left_alone() {
    let room = Room::with(COMMENTED);
    room.editor.resume().await;
    assert_eq!(room.editor.unconfirmed_until(), None);
    std::fs::write(room.folder.path().join(RECORD), "damaged").unwrap();
    room.editor.resume().await;
    assert_eq!((room.text().as_str(), room.editor.unconfirmed_until()), (COMMENTED, None));
}
