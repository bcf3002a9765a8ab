//! The file on disk, held against other writers and replaced as a whole.
//!
//! A path in, its text and the right to replace it out. The new text goes into a temporary file in the same folder
//! with the mode and owner of the old one, is synced, is renamed over it, and the folder is synced: at every instant,
//! also one at which the power goes, the path names the old text or the new one. A symbolic link stays, its target is
//! replaced.
//!
//! The lock is on the temporary file itself (flock(2)), so that nothing is left behind. INVARIANT: who holds the lock
//! and finds the locked file still under its name is the only writer; a lock won on a file that was renamed away in
//! the meantime is let go and asked for again.
//!
//! Not kept: hard links, extended attributes, ACLs of the file system.

use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// How long another writer is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
const STEP: Duration = Duration::from_millis(5);

/// Why the file cannot be replaced.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileFault {
    #[error("`{path}` is read-only: {why}")]
    ReadOnly { path: PathBuf, why: String },
    #[error("another process is writing `{0}`")]
    Busy(PathBuf),
    #[error("`{0}` was changed by hand at this very moment")]
    Changed(PathBuf),
    #[error("owner and group of `{0}` cannot be kept; run as its owner, or give it to the gateway's user")]
    Owner(PathBuf),
    #[error(
        "`{0}` is mounted as a single file, which cannot be replaced as a whole; mount its folder instead"
    )]
    Mounted(PathBuf),
    #[error("`{0}` is not UTF-8")]
    NotText(PathBuf),
    #[error("`{path}` is written, but whether it is on the disk is not known: {source}")]
    Unsynced { path: PathBuf, source: io::Error },
    #[error("cannot write `{path}`: {source}")]
    Io { path: PathBuf, source: io::Error },
}

/// The file, held against other writers until it is dropped.
#[derive(Debug)]
pub(super) struct HeldFile {
    /// Where it really is.
    path: PathBuf,
    folder: PathBuf,
    temporary: PathBuf,
    lock: File,
    metadata: Metadata,
    seen: Identity,
    text: String,
}

/// What tells that a file is still the one that was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Identity {
    inode: (u64, u64),
    length: u64,
    modified: Option<SystemTime>,
    changed: (i64, i64),
}

impl Identity {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            inode: (metadata.dev(), metadata.ino()),
            length: metadata.len(),
            modified: metadata.modified().ok(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    #[cfg(not(unix))]
    fn of(metadata: &Metadata) -> Self {
        Self { inode: (0, 0), length: metadata.len(), modified: metadata.modified().ok(), changed: (0, 0) }
    }
}

/// A file beside another, hidden, with an ending of our own.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(ending);
    path.with_file_name(name)
}

impl HeldFile {
    /// Waits for other writers, then reads the file. Blocks.
    pub(super) fn open(path: &Path) -> Result<Self, FileFault> {
        let io = |source| FileFault::Io { path: path.to_owned(), source };
        let path = path.canonicalize().map_err(io)?;
        let io = |source| FileFault::Io { path: path.clone(), source };
        refuse_read_only(&path)?;
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let temporary = beside(&path, ".new");
        let lock = lock(&temporary).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => FileFault::Busy(path.clone()),
            _ => read_only_or(&path, error),
        })?;
        let read = || -> io::Result<(Metadata, Vec<u8>)> {
            let metadata = path.metadata()?;
            Ok((metadata, std::fs::read(&path)?))
        };
        let (metadata, bytes) = read().inspect_err(|_| drop_quietly(&temporary)).map_err(io)?;
        let text = String::from_utf8(bytes).map_err(|_| {
            drop_quietly(&temporary);
            FileFault::NotText(path.clone())
        })?;
        Ok(Self { seen: Identity::of(&metadata), path, folder, temporary, lock, metadata, text })
    }

    /// Its text when it was opened.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// When it was changed last.
    pub(super) fn age(&self) -> Option<Duration> {
        self.metadata.modified().ok()?.elapsed().ok()
    }

    /// Writes the new text where nobody sees it yet, and waits until it is on the disk. Blocks.
    pub(super) fn prepare(&self, text: &str) -> Result<(), FileFault> {
        let io = |source| FileFault::Io { path: self.temporary.clone(), source };
        let mut file = &self.lock;
        self.adopt_owner(&self.lock)?;
        file.write_all(text.as_bytes()).map_err(io)?;
        file.set_permissions(self.metadata.permissions()).map_err(io)?;
        file.sync_all().map_err(io)
    }

    /// Puts the prepared text in the place of the file. Blocks.
    pub(super) fn replace(&self) -> Result<(), FileFault> {
        if !self.is_unchanged() {
            return Err(FileFault::Changed(self.path.clone()));
        }
        std::fs::rename(&self.temporary, &self.path).map_err(|error| match error.kind() {
            io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices => {
                FileFault::Mounted(self.path.clone())
            }
            _ => read_only_or(&self.path, error),
        })?;
        sync_folder(&self.folder).map_err(|source| FileFault::Unsynced { path: self.path.clone(), source })
    }

    /// Whether the file is still what it was when it was opened.
    pub(super) fn is_unchanged(&self) -> bool {
        self.path.metadata().is_ok_and(|now| Identity::of(&now) == self.seen)
    }

    /// Writes a file beside it, whole or not at all, readable by the same people. Blocks.
    pub(super) fn write_beside(&self, ending: &str, parts: &[&str]) -> Result<(), FileFault> {
        let (path, temporary) = (beside(&self.path, ending), beside(&self.path, &format!("{ending}.new")));
        let write = || -> io::Result<()> {
            drop_quietly(&temporary);
            let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&temporary)?;
            for part in parts {
                file.write_all(part.as_bytes())?;
            }
            file.sync_all()?;
            std::fs::rename(&temporary, &path)?;
            sync_folder(&self.folder)
        };
        write().map_err(|source| FileFault::Io { path: path.clone(), source })
    }

    /// Reads a file beside it, if there is one. Blocks.
    pub(super) fn read_beside(&self, ending: &str) -> Result<Option<Vec<u8>>, FileFault> {
        let path = beside(&self.path, ending);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(FileFault::Io { path, source }),
        }
    }

    /// Removes a file beside it, and waits until it is gone from the disk. Blocks.
    pub(super) fn remove_beside(&self, ending: &str) -> Result<(), FileFault> {
        let path = beside(&self.path, ending);
        let remove = || -> io::Result<()> {
            std::fs::remove_file(&path)?;
            sync_folder(&self.folder)
        };
        remove().map_err(|source| FileFault::Io { path: path.clone(), source })
    }

    #[cfg(unix)]
    fn adopt_owner(&self, file: &File) -> Result<(), FileFault> {
        use std::os::unix::fs::{MetadataExt as _, fchown};
        let io = |source| FileFault::Io { path: self.temporary.clone(), source };
        let own = file.metadata().map_err(io)?;
        let (uid, gid) = (self.metadata.uid(), self.metadata.gid());
        if (own.uid(), own.gid()) == (uid, gid) {
            return Ok(());
        }
        fchown(file, Some(uid), Some(gid)).map_err(|_| FileFault::Owner(self.path.clone()))
    }

    #[cfg(not(unix))]
    fn adopt_owner(&self, _file: &File) -> Result<(), FileFault> {
        Ok(())
    }
}

impl AsRef<str> for HeldFile {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

/// What was not renamed is taken away, as long as the lock holds.
impl Drop for HeldFile {
    fn drop(&mut self) {
        if is_at(&self.lock, &self.temporary) {
            drop_quietly(&self.temporary);
        }
    }
}

fn drop_quietly(path: &Path) {
    // What cannot be removed is written over by the next writer.
    let _ = std::fs::remove_file(path);
}

fn refuse_read_only(path: &Path) -> Result<(), FileFault> {
    let metadata = path.metadata().map_err(|source| FileFault::Io { path: path.to_owned(), source })?;
    // The superuser may write to it, and yet its owner does not want it written to.
    if metadata.permissions().readonly() {
        let why = "nobody has the right to write to it".to_owned();
        return Err(FileFault::ReadOnly { path: path.to_owned(), why });
    }
    match OpenOptions::new().append(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(read_only_or(path, error)),
    }
}

fn read_only_or(path: &Path, error: io::Error) -> FileFault {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            FileFault::ReadOnly { path: path.to_owned(), why: error.to_string() }
        }
        _ => FileFault::Io { path: path.to_owned(), source: error },
    }
}

/// The temporary file, empty and locked; `WouldBlock` if another writer does not come to an end.
fn lock(path: &Path) -> io::Result<File> {
    let start = Instant::now();
    loop {
        if path.symlink_metadata().is_ok_and(|metadata| !metadata.is_file()) {
            return Err(io::Error::other(format!("`{}` is in the way", path.display())));
        }
        let mut options = OpenOptions::new();
        let file = private(options.write(true).create(true).truncate(false)).open(path)?;
        match file.try_lock() {
            Ok(()) if is_at(&file, path) => {
                file.set_len(0)?;
                return Ok(file);
            }
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        if start.elapsed() > PATIENCE {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        std::thread::sleep(STEP);
    }
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Whether an open file is the one under this name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let inode = |metadata: Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), path.symlink_metadata()) {
        (Ok(open), Ok(named)) => inode(open) == inode(named),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
