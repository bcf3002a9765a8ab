//! The file and what it refers to → a candidate, or what is wrong with it.
//!
//! INVARIANT: the digest is made of the very bytes that were parsed, not of a second look at the disk: a file that
//! changes in between would otherwise be taken for what is in force.

use super::ageing;
use super::clock::Clock;
use super::snapshot::Snapshot;
use crate::config::{self, Config, DiskFiles, Loaded};
use crate::policy::finding::Findings;
use crate::policy::{FileError, Files, Policy};
use crate::telemetry::metrics::{AgeingFiles, Metrics};
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Loads one file, again and again.
#[derive(Clone, Debug)]
pub struct Loader {
    path: PathBuf,
    clock: Clock,
}

/// What could be in force.
#[derive(Debug)]
pub struct Candidate {
    /// The file that it was loaded from.
    pub config_path: PathBuf,
    /// SHA-256 over the file and what it refers to, in lower-case hex.
    pub digest: String,
    /// The settings.
    pub config: Config,
    /// The policy.
    pub policy: Policy,
    /// Warnings.
    pub findings: Findings,
    /// Every file that was read, the policy file first.
    pub files: Vec<PathBuf>,
    /// What of them grows old.
    pub ageing: AgeingFiles,
}

/// A file that cannot be put in force.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It has errors.
    #[error("{}", findings.render(false).trim_end())]
    Findings {
        /// All of them, warnings included.
        findings: Findings,
        /// Digest of what was read.
        digest: String,
        /// Every file that was read.
        files: Vec<PathBuf>,
    },
    /// A database of countries or autonomous systems cannot be read, of which what is in force knows more.
    #[error("a database cannot be read any more\n{}", findings.render(false).trim_end())]
    Blind {
        /// Every warning, that one included.
        findings: Findings,
        /// Digest of what was read.
        digest: String,
        /// Every file that was read.
        files: Vec<PathBuf>,
    },
    /// The thread that loads it broke down.
    #[error("the loader broke down")]
    Broken,
}

impl LoadError {
    /// What to watch until it is mended: every file that was read.
    pub(super) fn seen(&self) -> Option<(&str, &[PathBuf])> {
        match self {
            Self::Findings { digest, files, .. } | Self::Blind { digest, files, .. } => Some((digest, files)),
            Self::Read { .. } | Self::Broken => None,
        }
    }
}

impl Candidate {
    /// Only if it knows every database that what is in force knows: a gateway may start without one, and then blocks
    /// what depends on it, but it does not give one up that it has read.
    pub(super) fn instead_of(self, current: &Policy) -> Result<Self, LoadError> {
        let known = &current.parts().unread;
        if self.policy.parts().unread.iter().all(|name| known.contains(name)) {
            return Ok(self);
        }
        let Self { digest, findings, files, .. } = self;
        Err(LoadError::Blind { findings, digest, files })
    }

    /// As what is in force from now on.
    pub fn into_snapshot(self, revision: u64, metrics: &Metrics) -> Snapshot {
        let Self { config_path: _, digest, config, policy, findings: _, files: _, ageing } = self;
        let hits = metrics.hits_of(&policy);
        Snapshot { revision, digest, loaded_at: SystemTime::now(), config, policy, ageing, hits }
    }
}

impl Loader {
    /// A loader of this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), clock: Clock::default() }
    }

    /// With another clock than the system's.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The clock by which entries expire.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads, parses, validates and compiles. Blocks, and takes its time for large lists: not for a worker.
    ///
    /// # Errors
    /// The file cannot be read or has errors.
    pub fn load(&self) -> Result<Candidate, LoadError> {
        let unreadable = |source| LoadError::Read { path: self.path.clone(), source };
        let text = std::fs::read_to_string(&self.path).map_err(unreadable)?;
        self.load_text(&text)
    }

    /// As [`load`](Self::load), of a text that is to be written into the file.
    ///
    /// # Errors
    /// The text has errors.
    pub fn load_text(&self, text: &str) -> Result<Candidate, LoadError> {
        self.load_reduced(text, text)
    }

    /// As [`load_text`](Self::load_text), but what is parsed is a shorter text, whose policy the caller completes; the
    /// digest is that of the whole.
    pub(super) fn load_reduced(&self, text: &str, reduced: &str) -> Result<Candidate, LoadError> {
        let disk = DiskFiles::beside(&self.path);
        let recorder = Recorder { files: &disk, digest: RefCell::new(ContentDigest::new()) };
        recorder.digest.borrow_mut().add(Some(text.as_bytes()));
        let config::Outcome { loaded, findings } =
            config::load(reduced, &self.path.display().to_string(), &recorder, self.clock.now());
        let digest = recorder.digest.into_inner().finish();
        let mut files = vec![self.path.clone()];
        files.extend(disk.files_read());
        match loaded {
            Some(Loaded { config, policy }) if !findings.has_errors() => {
                let config_path = self.path.clone();
                let ageing = ageing::ageing_files(&config, &policy, &disk);
                Ok(Candidate { config_path, digest, config, policy, findings, files, ageing })
            }
            Some(_) | None => Err(LoadError::Findings { findings, digest, files }),
        }
    }
}

/// The digest that [`Loader::load`] would give if nothing but contents of these files changed: cheap, since nothing is
/// parsed. A difference means that it is time to load.
pub(super) fn digest_of(files: &[PathBuf]) -> String {
    let mut digest = ContentDigest::new();
    files.iter().for_each(|file| digest.add_file(file));
    digest.finish()
}

/// As [`digest_of`], with the first file's content at hand.
pub(super) fn digest_with(first: &[u8], others: &[PathBuf]) -> String {
    let mut digest = ContentDigest::new();
    digest.add(Some(first));
    others.iter().for_each(|file| digest.add_file(file));
    digest.finish()
}

/// SHA-256 over a sequence of contents; an unreadable file is unlike an empty one.
#[derive(Debug)]
struct ContentDigest(Sha256);

impl ContentDigest {
    fn new() -> Self {
        Self(Sha256::new())
    }

    fn add(&mut self, content: Option<&[u8]>) {
        if let Some(content) = content {
            self.add_piece(content);
        }
        self.end(content.map(<[u8]>::len));
    }

    fn add_file(&mut self, path: &Path) {
        let mut length = 0;
        let read = File::open(path).and_then(|mut file| {
            config::read_in_pieces(&mut file, |piece| {
                self.add_piece(piece);
                length += piece.len();
            })
        });
        self.end(read.is_ok().then_some(length));
    }

    fn add_piece(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// Behind the pieces of a content: its length, or that it could not be read. Read from behind, the one cannot be taken
    /// for the other, nor one content for two.
    fn end(&mut self, length: Option<usize>) {
        if let Some(length) = length {
            self.0.update((length as u64).to_be_bytes());
        }
        self.0.update([u8::from(length.is_some())]);
    }

    fn finish(self) -> String {
        let mut hex = String::with_capacity(64);
        for byte in self.0.finalize() {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }
}

/// Hashes what passes through.
struct Recorder<'a> {
    files: &'a dyn Files,
    digest: RefCell<ContentDigest>,
}

impl Files for Recorder<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        let content = self.files.read(path);
        self.digest.borrow_mut().add(content.as_deref().ok());
        content
    }

    fn read_in_pieces(&self, path: &str, take: &mut dyn FnMut(usize, &[u8])) -> Result<(), FileError> {
        let (mut digest, mut read) = (self.digest.borrow_mut(), 0);
        let outcome = self.files.read_in_pieces(path, &mut |length, piece| {
            digest.add_piece(piece);
            read += piece.len();
            take(length, piece);
        });
        digest.end(outcome.is_ok().then_some(read));
        outcome
    }

    fn resolve(&self, path: &str) -> PathBuf {
        self.files.resolve(path)
    }

    fn readable_by_all(&self, path: &str) -> bool {
        self.files.readable_by_all(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "[upstream]\nurl = \"http://127.0.0.1:9011\"\n\n[[ip_acl]]\nname = \"a\"\ndefault = \"block\"\nallow_files = [\"a.netset\"]\n";

    fn write(directory: &Path, name: &str, text: &str) -> PathBuf {
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn the_digest_covers_the_file_and_its_lists() {
        let directory = tempfile::tempdir().unwrap();
        let list = write(directory.path(), "a.netset", "192.0.2.1\n");
        let loader = Loader::new(write(directory.path(), "gateway.toml", POLICY));
        let first = loader.load().unwrap();
        assert_eq!(first.files, [loader.path().to_owned(), list.clone()]);
        assert_eq!(first.digest, loader.load().unwrap().digest);
        assert_eq!(first.digest, digest_of(&first.files), "the cheap digest is the same");
        std::fs::write(&list, "192.0.2.2\n").unwrap();
        let second = loader.load().unwrap();
        assert_ne!(first.digest, second.digest);
        assert_eq!(second.digest, digest_of(&second.files));
        std::fs::write(loader.path(), format!("{POLICY}\n")).unwrap();
        assert_ne!(second.digest, loader.load().unwrap().digest);
    }

    #[test]
    fn what_is_wrong_is_said_and_what_was_read_is_known() {
        let directory = tempfile::tempdir().unwrap();
        let loader = Loader::new(directory.path().join("gateway.toml"));
        assert!(matches!(loader.load(), Err(LoadError::Read { .. })));
        std::fs::write(loader.path(), POLICY).unwrap();
        let error = loader.load().unwrap_err();
        let (digest, files) = error.seen().unwrap();
        assert_eq!(digest, digest_of(files));
        assert_eq!(
            files,
            [loader.path().to_owned(), directory.path().join("a.netset")],
            "missing files are watched too"
        );
        assert!(error.to_string().contains("a.netset"), "{error}");
    }

    #[test]
    fn contents_do_not_run_into_each_other() {
        let digest = |contents: &[&str]| {
            let mut digest = ContentDigest::new();
            contents.iter().for_each(|content| digest.add(Some(content.as_bytes())));
            digest.finish()
        };
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_ne!(digest(&["a", ""]), digest(&["a"]));
    }
}
