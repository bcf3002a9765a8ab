//! Subjects by their id, told apart from what merely looks like it.

use super::uuid::lenient_uuid;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::sync::Arc;

/// How a value names a listed subject.
#[derive(Debug)]
pub enum Match<'a, T> {
    /// It is the id: the same text, or the same UUID as [`lenient_uuid`] reads it.
    Exact(&'a T),
    /// It differs from the id in case or in blanks around it: an upstream may or may not take it for the same.
    Variant(&'a T),
}

/// Subjects by id. Look-ups cost the same however many there are.
#[derive(Debug)]
pub struct Directory<T> {
    by_uuid: HashMap<u128, Arc<T>>,
    by_folded_text: HashMap<String, SmallVec<[(Box<str>, Arc<T>); 1]>>,
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
                    let spellings = directory.by_folded_text.entry(fold(id)).or_default();
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

    /// What a value of a request names: one exact match, or every variant, or nothing.
    pub fn find(&self, value: &str) -> SmallVec<[Match<'_, T>; 1]> {
        if self.is_empty() {
            return SmallVec::new();
        }
        if let Some(subject) = lenient_uuid(value).and_then(|uuid| self.by_uuid.get(&uuid)) {
            return smallvec::smallvec![Match::Exact(&**subject)];
        }
        let mut found = SmallVec::new();
        if let Some(subject) = lenient_uuid(value.trim()).and_then(|uuid| self.by_uuid.get(&uuid)) {
            found.push(Match::Variant(&**subject));
        }
        for (id, subject) in self.by_folded_text.get(&fold(value)).into_iter().flatten() {
            if **id == *value {
                return smallvec::smallvec![Match::Exact(&**subject)];
            }
            found.push(Match::Variant(&**subject));
        }
        found
    }
}

fn fold(text: &str) -> String {
    text.trim().to_lowercase()
}
