//! A table being written anew: an object → its lines, one key a line, in the order in which people write them.

use super::data::Data;
use super::object::{ApiKeyObject, IpAclObject};
use super::table::written;
use super::{array, entries};
use crate::policy::subject::ApiKeyHash;
use serde_json::Value as Json;
use std::fmt::Write as _;

/// A table being written.
#[derive(Debug)]
pub(super) struct New {
    pub(super) text: String,
    newline: &'static str,
}

impl New {
    /// A table of a kind, without keys.
    pub(super) fn of(key: &str, newline: &'static str) -> Self {
        Self { text: format!("[[{key}]]{newline}"), newline }
    }

    fn line(&mut self, key: &str, value: &str) {
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{key} = {value}{}", self.newline);
    }

    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.line(key, &written(value));
    }

    pub(super) fn optional(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    pub(super) fn acl(&mut self, acl: &IpAclObject) {
        self.text("name", &acl.name);
        self.text("id", &acl.id.to_string());
        self.text("default", entries::word(acl.default));
        for (key, action) in entries::LISTS {
            let texts = entries::texts(&acl.entries, action);
            if !texts.is_empty() {
                self.line(key, &array::written(&texts, self.newline));
            }
        }
        self.about(acl.insert_instant, acl.last_update_instant, acl.data.as_ref());
    }

    pub(super) fn api_key(&mut self, key: &ApiKeyObject, acl: Option<&str>) {
        self.text("name", &key.name);
        self.text("id", &key.id.to_string());
        self.text("sha256", &hex(&key.hash));
        self.optional("ip_acl", acl);
        self.about(key.insert_instant, key.last_update_instant, key.data.as_ref());
    }

    fn about(&mut self, inserted: Option<i64>, updated: Option<i64>, data: Option<&Json>) {
        for (key, instant) in [("insert_instant", inserted), ("last_update_instant", updated)] {
            if let Some(instant) = instant {
                self.line(key, &instant.to_string());
            }
        }
        match data.map(Data::of) {
            None => {}
            Some(Data::Toml(value)) => self.line("data", &written(value)),
            Some(Data::Json(text)) => self.text("data_json", &text),
        }
    }
}

/// As the file writes it.
pub(super) fn hex(hash: &ApiKeyHash) -> String {
    hash.as_bytes().iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
