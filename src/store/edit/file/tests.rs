//! Files on a real disk.

use super::*;

fn policy(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_replaced_file_has_the_new_text_and_nothing_is_left_behind() {
    let (folder, path) = policy("old");
    let file = HeldFile::open(&path).unwrap();
    assert_eq!(file.text(), "old");
    assert_eq!(names(folder.path()), [".gateway.toml.new", "gateway.toml"]);
    file.prepare("new").unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
    file.replace().unwrap();
    drop(file);
    assert_eq!(
        (std::fs::read_to_string(&path).unwrap().as_str(), names(folder.path())),
        ("new", vec!["gateway.toml".into()])
    );
}

#[test]
fn a_file_that_is_let_go_is_as_it_was() {
    let (folder, path) = policy("old");
    HeldFile::open(&path).unwrap().prepare("new").unwrap();
    assert_eq!(
        (std::fs::read_to_string(&path).unwrap().as_str(), names(folder.path())),
        ("old", vec!["gateway.toml".into()])
    );
}

#[test]
fn what_a_killed_writer_left_is_written_over() {
    let (folder, path) = policy("old");
    std::fs::write(folder.path().join(".gateway.toml.new"), "a much longer text of another time").unwrap();
    let file = HeldFile::open(&path).unwrap();
    file.prepare("new").unwrap();
    file.replace().unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
}

#[test]
fn a_second_writer_waits_for_the_first_and_sees_what_it_wrote() {
    let (_folder, path) = policy("0");
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || {
                for _ in 0..5 {
                    let file = HeldFile::open(&path).unwrap();
                    let next = file.text().parse::<u32>().unwrap() + 1;
                    file.prepare(&next.to_string()).unwrap();
                    file.replace().unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "20");
}

#[test]
fn a_writer_that_does_not_let_go_is_given_up_on() {
    let (_folder, path) = policy("old");
    let _held = HeldFile::open(&path).unwrap();
    assert!(matches!(HeldFile::open(&path), Err(FileFault::Busy(_))));
}

#[test]
fn a_hand_edit_since_it_was_read_is_not_lost() {
    let (_folder, path) = policy("old");
    let file = HeldFile::open(&path).unwrap();
    file.prepare("new").unwrap();
    std::fs::write(&path, "by hand").unwrap();
    assert!(matches!(file.replace(), Err(FileFault::Changed(_))));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "by hand");
}

#[test]
fn what_cannot_be_read_or_replaced_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    assert!(matches!(HeldFile::open(&path), Err(FileFault::Io { .. })));
    std::fs::write(&path, b"\xff").unwrap();
    assert!(matches!(HeldFile::open(&path), Err(FileFault::NotText(_))));
    std::fs::write(&path, "text").unwrap();
    std::fs::create_dir(folder.path().join(".gateway.toml.new")).unwrap();
    assert!(matches!(HeldFile::open(&path), Err(FileFault::Io { .. })));
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    #[test]
    fn mode_and_owner_stay() {
        let (_folder, path) = policy("old");
        for mode in [0o600, 0o640, 0o664] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            // Only the superuser may give files away.
            let before = path.metadata().unwrap();
            let owner = if before.uid() == 0 { (12, 34) } else { (before.uid(), before.gid()) };
            std::os::unix::fs::chown(&path, Some(owner.0), Some(owner.1)).unwrap();
            let file = HeldFile::open(&path).unwrap();
            file.prepare(&format!("{mode:o}")).unwrap();
            file.replace().unwrap();
            let after = path.metadata().unwrap();
            assert_eq!((after.mode() & 0o7777, after.uid(), after.gid()), (mode, owner.0, owner.1));
            assert_ne!(after.ino(), before.ino());
        }
    }

    #[test]
    fn a_link_stays_and_its_target_is_replaced() {
        let (folder, path) = policy("old");
        let other = tempfile::tempdir().unwrap();
        let link = other.path().join("link.toml");
        symlink(&path, &link).unwrap();
        let file = HeldFile::open(&link).unwrap();
        assert!(names(other.path()).len() == 1 && names(folder.path()).len() == 2);
        file.prepare("new").unwrap();
        file.replace().unwrap();
        assert_eq!(link.read_link().unwrap(), path);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn a_read_only_file_is_refused_even_to_the_superuser() {
        let (folder, path) = policy("old");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
        let error = HeldFile::open(&path).unwrap_err();
        assert!(matches!(error, FileFault::ReadOnly { .. }), "{error}");
        assert_eq!(names(folder.path()), ["gateway.toml"]);
    }

    #[test]
    fn records_beside_it_are_for_its_writer_alone() {
        let (folder, path) = policy("old");
        let file = HeldFile::open(&path).unwrap();
        assert_eq!(file.read_beside(".x").unwrap(), None);
        file.write_beside(".x", &["a", "", "b"]).unwrap();
        file.write_beside(".x", &["c"]).unwrap();
        assert_eq!(file.read_beside(".x").unwrap().unwrap(), b"c");
        let mode = folder.path().join(".gateway.toml.x").metadata().unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
        file.remove_beside(".x").unwrap();
        assert_eq!(file.read_beside(".x").unwrap(), None);
    }
}
