//! The disk as configurations see it: paths are relative to the configuration file, and what was read is remembered,
//! so that the watcher knows it.

use crate::policy::{FileError, Files};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// What is read at once of a long file.
const PIECE: usize = 256 * 1024;

/// Reads files beside a configuration file.
#[derive(Debug)]
pub struct DiskFiles {
    directory: PathBuf,
    read: Mutex<Vec<PathBuf>>,
}

impl DiskFiles {
    /// For the configuration file at `path`; the file itself is not read.
    pub fn beside(path: impl AsRef<Path>) -> Self {
        let directory = path.as_ref().parent().map(Path::to_path_buf).unwrap_or_default();
        Self { directory, read: Mutex::new(Vec::new()) }
    }

    /// Every file that was read, or should have been and could not, in that order, once for each time.
    pub fn files_read(&self) -> Vec<PathBuf> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl DiskFiles {
    /// Notes that a file is read, and opens it.
    fn open(&self, path: &str) -> Result<(File, usize), FileError> {
        let path = self.resolve(path);
        self.read.lock().unwrap_or_else(PoisonError::into_inner).push(path.clone());
        // A pipe or device could keep us waiting for ever.
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => Err(FileError("it is a directory".to_owned())),
            Ok(metadata) if !metadata.is_file() => Err(FileError("it is no regular file".to_owned())),
            Ok(metadata) => {
                let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
                File::open(&path).map(|file| (file, length)).map_err(|error| in_words(&error))
            }
            Err(error) => Err(in_words(&error)),
        }
    }
}

/// Gives the content of a file away in pieces.
///
/// # Errors
/// Those of reading.
pub fn read_in_pieces(file: &mut impl Read, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(bytes) => take(piece.get(..bytes).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

impl Files for DiskFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        let (mut file, length) = self.open(path)?;
        let mut content = Vec::new();
        // Room for the byte behind the last, which tells the end.
        content.try_reserve(length.saturating_add(1)).map_err(|error| FileError(error.to_string()))?;
        file.read_to_end(&mut content).map_err(|error| in_words(&error))?;
        Ok(content)
    }

    fn read_in_pieces(&self, path: &str, take: &mut dyn FnMut(usize, &[u8])) -> Result<(), FileError> {
        let (mut file, length) = self.open(path)?;
        read_in_pieces(&mut file, |piece| take(length, piece)).map_err(|error| in_words(&error))
    }

    fn resolve(&self, path: &str) -> PathBuf {
        self.directory.join(path)
    }

    #[cfg(unix)]
    fn readable_by_all(&self, path: &str) -> bool {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(self.resolve(path)).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
    }
}

fn in_words(error: &io::Error) -> FileError {
    FileError(match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_file_and_what_was_read_is_remembered() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a.txt"), "a").unwrap();
        let files = DiskFiles::beside(directory.path().join("gateway.toml"));
        assert_eq!(files.read("a.txt").unwrap(), b"a");
        assert_eq!(files.read("b.txt").unwrap_err().to_string(), "no such file");
        assert_eq!(files.read(".").unwrap_err().to_string(), "it is a directory");
        let absolute = directory.path().join("a.txt");
        assert_eq!(files.read(absolute.to_str().unwrap()).unwrap(), b"a");
        let expected = ["a.txt", "b.txt", ".", "a.txt"].map(|name| directory.path().join(name));
        assert_eq!(files.files_read(), expected);
    }

    #[cfg(unix)]
    #[test]
    fn exposed_files_are_told_from_others_and_pipes_are_not_waited_for() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tls.key");
        std::fs::write(&path, "").unwrap();
        let files = DiskFiles::beside(directory.path().join("gateway.toml"));
        for (mode, exposed) in [(0o600, false), (0o640, false), (0o644, true)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(files.readable_by_all("tls.key"), exposed, "{mode:o}");
        }
        assert_eq!(files.read("/dev/zero").unwrap_err().to_string(), "it is no regular file");
    }
}
