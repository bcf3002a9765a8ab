//! Where a file really is: the symbolic links on the way to it, and the directories in which a change would show.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

/// The most links that are followed, as Linux has it (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// What tells that a file changed without reading it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fingerprint(Option<(PathBuf, Option<SystemTime>, u64, u64)>);

impl Fingerprint {
    /// The real place, time, size and inode of a file, as far as it is there.
    pub(super) fn of(path: &Path) -> Self {
        let seen = path.canonicalize().and_then(|real| {
            let metadata = real.metadata()?;
            Ok((real, metadata.modified().ok(), metadata.len(), inode(&metadata)))
        });
        Self(seen.ok())
    }
}

#[cfg(unix)]
fn inode(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_metadata: &std::fs::Metadata) -> u64 {
    0
}

/// The directories to watch for a file: of each of its [`stations`].
pub(super) fn directories(path: &Path) -> BTreeSet<PathBuf> {
    stations(path).iter().filter_map(|station| station.parent()).map(Path::to_owned).collect()
}

/// Every symbolic link on the way to a file, and the file itself, as absolute paths without `.` and `..`. Whatever of
/// them is replaced, the file may be another one.
pub(super) fn stations(path: &Path) -> Vec<PathBuf> {
    let Ok(path) = std::path::absolute(path) else { return Vec::new() };
    let mut stations = Vec::new();
    let mut at = PathBuf::new();
    let mut ahead: VecDeque<OsString> = names(&path);
    while let Some(name) = ahead.pop_front() {
        if name == ".." {
            at.pop();
            continue;
        }
        if Path::new(&name).is_absolute() {
            at = PathBuf::from(name);
            continue;
        }
        at.push(name);
        if stations.len() < MOST_LINKS
            && let Ok(target) = at.read_link()
        {
            stations.push(at.clone());
            at.pop();
            ahead = names(&target).into_iter().chain(ahead).collect();
        }
    }
    stations.push(at);
    stations
}

fn names(path: &Path) -> VecDeque<OsString> {
    let named = |component: &Component<'_>| *component != Component::CurDir;
    path.components().filter(named).map(|component| component.as_os_str().to_owned()).collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_config_map_is_watched_at_the_link_and_at_its_target() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("..2024")).unwrap();
        std::fs::write(root.join("..2024/gateway.toml"), "").unwrap();
        symlink("..2024", root.join("..data")).unwrap();
        symlink("..data/gateway.toml", root.join("gateway.toml")).unwrap();
        let expected = [root.join("gateway.toml"), root.join("..data"), root.join("..2024/gateway.toml")];
        assert_eq!(stations(&root.join("gateway.toml")), expected);
        assert_eq!(
            directories(&root.join("gateway.toml")),
            BTreeSet::from([root.clone(), root.join("..2024")])
        );
    }

    #[test]
    fn dots_and_absolute_links_are_followed() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        for directory in ["a", "b", "c"] {
            std::fs::create_dir(root.join(directory)).unwrap();
        }
        symlink(root.join("b"), root.join("a/link")).unwrap();
        symlink("../../c/x", root.join("b/x")).unwrap();
        std::fs::create_dir(root.join("b/deep")).unwrap();
        let path = root.join("./a/../a/link/deep/../missing");
        assert_eq!(stations(&path), [root.join("a/link"), root.join("b/missing")]);
    }

    #[test]
    fn loops_end() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        symlink("b", root.join("a")).unwrap();
        symlink("a", root.join("b")).unwrap();
        assert_eq!(stations(&root.join("a")).len(), MOST_LINKS + 1);
    }

    #[test]
    fn a_fingerprint_tells_another_file_of_the_same_size() {
        let root = tempfile::tempdir().unwrap();
        let (one, two) = (root.path().join("1"), root.path().join("2"));
        std::fs::write(&one, "a").unwrap();
        let before = Fingerprint::of(&one);
        assert_eq!(before, Fingerprint::of(&one));
        std::fs::write(&two, "b").unwrap();
        std::fs::rename(&two, &one).unwrap();
        assert_ne!(before, Fingerprint::of(&one));
        std::fs::remove_file(&one).unwrap();
        assert_ne!(before, Fingerprint::of(&one));
    }
}
