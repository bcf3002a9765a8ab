//! Audit records: who changed what, when, from where; old and new.
//!
//! In: an [`AuditRecord`]. Out: an event of the log ([`AUDIT`], at any level) and, where configured, a JSON line in a file.
//! The file is opened for each record and only ever appended to, so whoever rotates it may rename or truncate it at any
//! time and needs to tell nobody. It is opened before the change is made ([`AuditFile::open`]): what cannot be recorded is not
//! done. Keys and hashes are never part of an object that is recorded.

use super::logging::AUDIT;
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A change that was made.
#[derive(Clone, Debug)]
pub struct AuditRecord<'a> {
    /// When, in milliseconds since 1970.
    pub at_millis: i64,
    /// The name of the admin key.
    pub key_name: &'a str,
    /// Where it was made from.
    pub client: IpAddr,
    /// `create`, `update`, `delete` or `confirm`.
    pub operation: &'static str,
    /// Kind, id and name of the object.
    pub object: Option<(&'a str, &'a str, &'a str)>,
    /// The object before; `None` for a new one.
    pub old: Option<&'a Value>,
    /// The object after; `None` for a deleted one.
    pub new: Option<&'a Value>,
    /// The revision that it made.
    pub revision: u64,
    /// Whether it was forced.
    pub forced: bool,
    /// The time after which it is rolled back unless it is confirmed.
    pub confirm_within: Option<Duration>,
}

impl AuditRecord<'_> {
    /// One object.
    pub fn to_json(&self) -> Value {
        let at = i128::from(self.at_millis) * 1_000_000;
        let time =
            OffsetDateTime::from_unix_timestamp_nanos(at).ok().and_then(|time| time.format(&Rfc3339).ok());
        let object = self.object.map(|(kind, id, name)| json!({ "kind": kind, "id": id, "name": name }));
        let mut record = Map::new();
        let mut add = |name: &str, value: Value| drop(record.insert(name.to_owned(), value));
        add("time", time.into());
        add("key", self.key_name.into());
        add("client", self.client.to_string().into());
        add("operation", self.operation.into());
        add("object", object.into());
        add("old", self.old.cloned().into());
        add("new", self.new.cloned().into());
        add("revision", self.revision.into());
        if self.forced {
            add("forced", true.into());
        }
        if let Some(time) = self.confirm_within {
            add("confirm_within_seconds", time.as_secs().into());
        }
        Value::Object(record)
    }
}

/// The audit file, open; or none, where there is only the log.
#[derive(Debug)]
pub struct AuditFile(Option<File>);

impl AuditFile {
    /// Opens the file at its end, and makes it if need be, for its owner alone. Blocks for a moment.
    ///
    /// # Errors
    /// It cannot be written to.
    pub fn open(path: Option<&Path>) -> io::Result<Self> {
        let Some(path) = path else { return Ok(Self(None)) };
        let mut options = File::options();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map(|file| Self(Some(file)))
    }

    /// Records a change, in the file durably. Blocks for as long as the disk takes. The change is made already: a failure is
    /// an error in the log, which then has the record alone.
    pub fn write(self, record: &AuditRecord<'_>) {
        let record = record.to_json();
        let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let part = |name: &str| record.get(name).unwrap_or(&Value::Null).to_string();
        tracing::info!(
            target: AUDIT,
            key = text("key"),
            client = text("client"),
            operation = text("operation"),
            object = part("object"),
            old = part("old"),
            new = part("new"),
            revision = part("revision"),
            "policy changed by the management API"
        );
        if let Some(mut file) = self.0 {
            // One write, so that lines of several processes do not mix.
            let written = file.write_all(format!("{record}\n").as_bytes()).and_then(|()| file.sync_data());
            if let Err(error) = written {
                tracing::error!(%error, "an audit record could not be written into its file");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::logging::tests::logged;
    use super::*;
    use crate::config::LogFormat;

    fn record<'a>(old: &'a Value, new: &'a Value) -> AuditRecord<'a> {
        AuditRecord {
            at_millis: 1_628_887_035_851,
            key_name: "ops",
            client: [192, 0, 2, 1].into(),
            operation: "update",
            object: Some(("ipAccessControlList", "2d9f", "a\nb")),
            old: Some(old),
            new: Some(new),
            revision: 7,
            forced: true,
            confirm_within: Some(Duration::from_secs(120)),
        }
    }

    #[test]
    fn a_line_for_each_change_also_after_rotation() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let (old, new) = (json!({ "name": "a" }), json!({ "name": "a\nb" }));
        AuditFile::open(Some(&path)).unwrap().write(&record(&old, &new));
        AuditFile::open(Some(&path)).unwrap().write(&record(&old, &new));
        std::fs::rename(&path, folder.path().join("audit.1")).unwrap();
        AuditFile::open(Some(&path)).unwrap().write(&record(&old, &new));
        let lines = |name| std::fs::read_to_string(folder.path().join(name)).unwrap().lines().count();
        assert_eq!((lines("audit.1"), lines("audit.jsonl")), (2, 1));
        let line: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let expected = json!({
            "time": "2021-08-13T20:37:15.851Z", "key": "ops", "client": "192.0.2.1", "operation": "update",
            "object": { "kind": "ipAccessControlList", "id": "2d9f", "name": "a\nb" },
            "old": { "name": "a" }, "new": { "name": "a\nb" }, "revision": 7, "forced": true,
            "confirm_within_seconds": 120,
        });
        assert_eq!(line, expected);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn the_log_has_it_at_any_level() {
        let (old, new) = (json!({ "name": "a" }), json!({ "name": "b" }));
        let text =
            logged("off", LogFormat::Text, |_| AuditFile::open(None).unwrap().write(&record(&old, &new)));
        assert!(text.contains("key=\"ops\"") && text.contains("2d9f") && text.lines().count() == 1, "{text}");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_known_in_time() {
        let folder = tempfile::tempdir().unwrap();
        assert!(AuditFile::open(Some(folder.path())).is_err());
    }
}
