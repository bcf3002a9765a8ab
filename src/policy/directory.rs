//! Subjects by their id, told apart from what merely looks like it.
//!
//! Ids in, a [`Directory`] out; a value of a request in, [`Match`]es out. Ids that are UUIDs are compared as
//! Java reads them, all others to the byte. A value that some upstream may take for an id (case, blanks or control
//! characters around it, digits of other alphabets) is a variant: it can close a door and never open one, so folding may take
//! more together than any one upstream does, and never less. What is not ASCII is a variant at most, for who reads a form
//! in ISO 8859-1 (Tomcat, unless it is told) sees another value.

use super::uuid::{lenient_uuid, loose_uuid, overlong_uuid};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::sync::Arc;

/// How a value names a listed subject.
#[derive(Debug)]
pub enum Match<'a, T> {
    /// It is the id: the same text, or the same UUID as [`lenient_uuid`] reads it; in ASCII.
    Exact(&'a T),
    /// It differs from the id in case, in blanks around it or in how its digits are grouped or written: an upstream may or may not take it for the same.
    Variant(&'a T),
}

/// Ids that differ in case alone.
type Spellings<T> = SmallVec<[(Box<str>, Arc<T>); 1]>;

/// Subjects by id. Look-ups cost the same however many there are.
#[derive(Debug)]
pub struct Directory<T> {
    by_uuid: HashMap<u128, Arc<T>>,
    by_folded_text: HashMap<String, Spellings<T>>,
}

impl<T> Directory<T> {
    /// Lists subjects under their ids; one subject may stand under several.
    pub(super) fn new<'a>(subjects: impl Iterator<Item = (&'a str, &'a Arc<T>)>) -> Self
    where
        T: 'a,
    {
        let mut directory = Self { by_uuid: HashMap::new(), by_folded_text: HashMap::new() };
        for (id, subject) in subjects {
            match lenient_uuid(id) {
                Some(uuid) => {
                    directory.by_uuid.insert(uuid, Arc::clone(subject));
                }
                None => {
                    let spellings =
                        directory.by_folded_text.entry(with_folded(id, str::to_owned)).or_default();
                    spellings.push((id.into(), Arc::clone(subject)));
                }
            }
        }
        directory
    }

    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.by_uuid.is_empty() && self.by_folded_text.is_empty()
    }

    /// The subject that is listed under this id. For ids of the operator, whose charset is known; what a request says is
    /// [found](Self::find).
    pub fn listed(&self, id: &str) -> Option<&T> {
        if let Some(subject) = lenient_uuid(id).and_then(|uuid| self.by_uuid.get(&uuid)) {
            return Some(subject);
        }
        let spellings = with_folded(id, |folded| self.by_folded_text.get(folded))?;
        spellings.iter().find(|(known, _)| **known == *id).map(|(_, subject)| &**subject)
    }

    /// What a value of a request names: one exact match, or every variant, or nothing. No allocation for
    /// ids as they usually are: ASCII, not too long, and alone in their spelling.
    pub fn find(&self, value: &str) -> SmallVec<[Match<'_, T>; 1]> {
        if self.is_empty() {
            return SmallVec::new();
        }
        if let Some(subject) = plain_uuid(value).and_then(|uuid| self.by_uuid.get(&uuid)) {
            return smallvec::smallvec![Match::Exact(&**subject)];
        }
        let mut found = SmallVec::new();
        let uuid = overlong_uuid(trim(value)).or_else(|| loose_uuid(trim(value)));
        if let Some(subject) = uuid.and_then(|uuid| self.by_uuid.get(&uuid)) {
            found.push(Match::Variant(&**subject));
        }
        for (id, subject) in
            with_folded(value, |folded| self.by_folded_text.get(folded)).into_iter().flatten()
        {
            if **id == *value && value.is_ascii() {
                return smallvec::smallvec![Match::Exact(&**subject)];
            }
            found.push(Match::Variant(&**subject));
        }
        found
    }
}

/// The text that stands for an id among exact matches, and the one that it shares with its variants. Two values with
/// the same exact form name the same subject in every directory.
pub fn forms(value: &str) -> (String, String) {
    let canonical = |uuid: u128| ::uuid::Uuid::from_u128(uuid).to_string();
    let exact = plain_uuid(value).map_or_else(|| value.to_owned(), canonical);
    let loose = overlong_uuid(trim(value)).or_else(|| loose_uuid(trim(value)));
    let folded = loose.map_or_else(|| with_folded(value, str::to_owned), canonical);
    (exact, folded)
}

/// The UUID that a text is to every upstream's charset.
fn plain_uuid(value: &str) -> Option<u128> {
    if value.is_ascii() { lenient_uuid(value) } else { None }
}

/// What upstreams may cut off: blanks of any alphabet, control characters (Java), the byte order mark
/// (JavaScript).
fn trim(text: &str) -> &str {
    text.trim_matches(|character: char| {
        character.is_whitespace() || character.is_control() || character == '\u{feff}'
    })
}

/// Values up to this length are folded on the stack, in bytes; ids are shorter.
const SHORT: usize = 64;

/// Hands on a form that texts share if they differ in case alone. By way of capitals, as `ſ` is a small `S`.
fn with_folded<R>(text: &str, use_it: impl FnOnce(&str) -> R) -> R {
    let text = trim(text);
    if text.is_ascii() && text.len() <= SHORT {
        let mut buffer: SmallVec<[u8; SHORT]> = SmallVec::from_slice(text.as_bytes());
        buffer.make_ascii_lowercase();
        if let Ok(folded) = str::from_utf8(&buffer) {
            return use_it(folded);
        }
    }
    use_it(&text.to_uppercase().to_lowercase())
}

#[cfg(test)]
mod tests;
