//! `aclgate hash-key`: an API key from standard input → its SHA-256 in hex.
//!
//! The key is never printed. One newline at its end (`\n` or `\r\n`) is taken for the shell's, not the key's.

use super::CliError;
use crate::policy::subject::ApiKeyHash;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Read, Write};
use std::process::ExitCode;

/// The most that is read: no header field could carry more.
const LONGEST_KEY: u64 = 64 * 1024;

/// Reads a key and prints its hash.
///
/// # Errors
/// There is no key, or it could never be sent.
pub fn run(out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let stdin = io::stdin();
    let key = if stdin.is_terminal() {
        rpassword::prompt_password("API key (not shown): ")
            .map_err(|error| invalid(&error.to_string()))?
            .into_bytes()
    } else {
        let mut key = Vec::new();
        let read = stdin.lock().take(LONGEST_KEY + 1).read_to_end(&mut key);
        read.map_err(|error| invalid(&error.to_string()))?;
        key
    };
    writeln!(out, "{}", hash(&key)?)?;
    Ok(ExitCode::SUCCESS)
}

fn hash(input: &[u8]) -> Result<String, CliError> {
    let key = input.strip_suffix(b"\n").map_or(input, |line| line.strip_suffix(b"\r").unwrap_or(line));
    if key.is_empty() {
        return Err(invalid("the key is empty"));
    }
    if key.len() as u64 > LONGEST_KEY {
        return Err(invalid("the key is too long for a header field"));
    }
    // The gateway refuses such fields (SPEC §4), so the hash could never match.
    if !key.iter().all(|byte| matches!(byte, b' '..=b'~')) || key.trim_ascii() != key {
        return Err(invalid(
            "the key has bytes outside visible ASCII or blanks at an end; no request can carry it",
        ));
    }
    let mut hex = String::with_capacity(64);
    for byte in ApiKeyHash::of(key).as_bytes() {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    Ok(hex)
}

fn invalid(message: &str) -> CliError {
    CliError::Input { path: "standard input".to_owned(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

    #[test]
    fn one_newline_is_not_part_of_the_key() {
        for input in ["secret", "secret\n", "secret\r\n"] {
            assert_eq!(hash(input.as_bytes()).unwrap(), SECRET, "{input:?}");
        }
    }

    #[test]
    fn what_no_request_can_carry_is_refused_without_being_shown() {
        for input in ["", "\n", "secret\n\n", " secret", "secret\t", "secr\u{e4}t", "secr\0t"] {
            let message = hash(input.as_bytes()).unwrap_err().to_string();
            assert!(!message.contains("secr"), "{input:?}: {message}");
        }
        assert!(hash(&vec![b'a'; 65537]).is_err());
    }
}
