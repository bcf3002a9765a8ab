//! JSON (RFC 8259): every name at any depth, with its values.
//!
//! In: a body. Out: fields for the collector; an error for anything that parsers differ about: duplicate names
//! (§4), a byte order mark (§8.1), anything behind the value, what is not UTF-8, lone surrogates. Values in an
//! array belong to the array's name. Nothing is built in memory but the names of open objects.

use super::collector::{Collector, Place};
use super::names;
use crate::request::error::RequestError;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// Reads a body; with [`Place::Naming`] what stands directly in the outermost object is naming.
pub(super) fn read(collector: &mut Collector<'_, '_>, place: Place, body: &[u8]) -> Result<(), RequestError> {
    let malformed = RequestError::Malformed("JSON that parsers could differ about");
    let text = std::str::from_utf8(body).map_err(|_| malformed)?;
    walk(text, Duplicates::Refuse, &mut |found| {
        let Some(field) = names::classify(found.name) else { return };
        collector.sight(field);
        if let Some(value) = found.value {
            let place = if found.depth == 1 { place } else { Place::Doubtful };
            collector.field(place, field, Cow::Owned(value.to_owned()));
        }
    })
    .map_err(|_| malformed)
}

/// What to do where a name comes twice in one object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Duplicates {
    /// It is an error.
    Refuse,
    /// All values are shown.
    Show,
}

/// A name, and perhaps a value of it.
pub(super) struct Found<'n> {
    /// Objects and arrays around it: 1 for a direct member of the outermost object.
    pub(super) depth: usize,
    /// The name.
    pub(super) name: &'n str,
    /// A string, or a number or boolean as text; `None`: the name was met, or its value has none.
    pub(super) value: Option<&'n str>,
}

/// Walks through a text and shows what it finds, up to the first error.
pub(super) fn walk(
    text: &str,
    duplicates: Duplicates,
    show: &mut dyn FnMut(Found<'_>),
) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Walk { depth: 0, name: "", duplicates, show }.deserialize(&mut deserializer)?;
    deserializer.end()
}

struct Walk<'n, 's> {
    depth: usize,
    name: &'n str,
    duplicates: Duplicates,
    show: &'s mut dyn FnMut(Found<'_>),
}

impl Walk<'_, '_> {
    fn value(&mut self, value: &str) {
        (self.show)(Found { depth: self.depth, name: self.name, value: Some(value) });
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(mut self, value: bool) -> Result<(), E> {
        self.value(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_u64<E>(mut self, value: u64) -> Result<(), E> {
        self.value(&value.to_string());
        Ok(())
    }

    fn visit_i64<E>(mut self, value: i64) -> Result<(), E> {
        self.value(&value.to_string());
        Ok(())
    }

    fn visit_f64<E>(mut self, value: f64) -> Result<(), E> {
        self.value(&value.to_string());
        Ok(())
    }

    fn visit_str<E>(mut self, value: &str) -> Result<(), E> {
        self.value(value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        loop {
            let (depth, name, duplicates) = (self.depth + 1, self.name, self.duplicates);
            if values.next_element_seed(Walk { depth, name, duplicates, show: &mut *self.show })?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        let (depth, duplicates) = (self.depth + 1, self.duplicates);
        while let Some(name) = members.next_key::<String>()? {
            (self.show)(Found { depth, name: &name, value: None });
            members.next_value_seed(Walk { depth, name: &name, duplicates, show: &mut *self.show })?;
            if duplicates == Duplicates::Refuse && !seen.insert(name) {
                return Err(A::Error::custom("duplicate name"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(text: &str, duplicates: Duplicates) -> (Vec<String>, bool) {
        let mut all = Vec::new();
        let result = walk(text, duplicates, &mut |found| {
            if let Some(value) = found.value {
                all.push(format!("{}:{}={value}", found.depth, found.name));
            }
        });
        (all, result.is_ok())
    }

    #[test]
    fn names_at_any_depth() {
        let text = r#"{"a":"1","b":["2",[3]],"c":{"d":true,"e":[{"f":"\u0041"}]},"g":null,"h":-1}"#;
        let (all, fine) = found(text, Duplicates::Refuse);
        assert_eq!(all, ["1:a=1", "2:b=2", "3:b=3", "2:d=true", "4:f=A", "1:h=-1"]);
        assert!(fine);
    }

    #[test]
    fn what_parsers_differ_about_is_an_error() {
        let deep = "[".repeat(500);
        for text in [
            "",
            "{",
            "{}x",
            "{} {}",
            "\u{feff}{}",
            r#"{"a":1,"a":1}"#,
            r#"{"x":[{"a":1,"\u0061":2}]}"#,
            "{'a':1}",
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\x41"}"#,
            "{\"a\":\"\n\"}",
            r#"{"a":1,}"#,
            "//\n{}",
            "NaN",
            "01",
            &deep,
        ] {
            assert!(!found(text, Duplicates::Refuse).1, "{text}");
        }
        assert_eq!(found(r#"{"a":1,"a":2}"#, Duplicates::Show), (vec!["1:a=1".into(), "1:a=2".into()], true));
    }

    proptest! {
        #[test]
        fn never_panics(text in "[\\[\\]{}\",:a-c0-9 \\\\u]{0,60}") {
            let ours = found(&text, Duplicates::Show).1;
            prop_assert_eq!(ours, serde_json::from_str::<serde_json::Value>(&text).is_ok());
        }
    }
}
