//! Files that a configuration names: list files, body files, certificates. Nothing is read here; who loads a
//! configuration says how.

use std::fmt;
use std::path::PathBuf;

/// How files are reached. Relative paths are relative to the configuration file.
pub trait Files {
    /// The content of a file.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError>;

    /// Gives the content of a file away in pieces, in their order, each with the length of the whole as far as it is
    /// known. Takes no memory for the whole, if the implementation knows how.
    ///
    /// # Errors
    /// Why it cannot be read, or not to its end.
    fn read_in_pieces(&self, path: &str, take: &mut dyn FnMut(usize, &[u8])) -> Result<(), FileError> {
        let content = self.read(path)?;
        take(content.len(), &content);
        Ok(())
    }

    /// The path that a name of the configuration means.
    fn resolve(&self, path: &str) -> PathBuf {
        PathBuf::from(path)
    }

    /// Whether every user of the machine can read a file.
    fn readable_by_all(&self, _path: &str) -> bool {
        false
    }
}

/// Why a file cannot be read, in words: `no such file`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileError(pub String);

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FileError {}

/// No files at all, for configurations that name none.
#[derive(Clone, Copy, Debug)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _path: &str) -> Result<Vec<u8>, FileError> {
        Err(FileError("no files are at hand here".to_owned()))
    }
}
