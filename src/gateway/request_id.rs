//! What a request is found by: in the log, upstream, and by a user who was shown it.
//!
//! The client's own `X-Request-Id` if there is one and it is harmless, else one of ours. Upstream gets the same: where the
//! client sent none or a harmful one, ours stands in its place, so that nobody's log disagrees.

use crate::request::{FieldName, Fields};
use smallvec::SmallVec;
use std::cell::{Cell, OnceCell};
use std::fmt;
use std::hash::{BuildHasher, RandomState};

const NAME: &str = "x-request-id";
/// The longest that is taken over, in bytes.
const LONGEST: usize = 128;

thread_local! {
    static SECRET: RandomState = RandomState::new();
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// The id of one request.
#[derive(Debug, Default)]
pub(super) struct RequestId(OnceCell<Id>);

/// One of ours, or the client's, which is visible ASCII.
type Id = SmallVec<[u8; 36]>;

impl RequestId {
    /// The id; the same at every call.
    pub(super) fn of(&self, fields: &Fields) -> &str {
        let id = self.0.get_or_init(|| sent(fields).map_or_else(|| Id::from_slice(&made()), Id::from_slice));
        // Nothing else gets here.
        std::str::from_utf8(id).unwrap_or_default()
    }

    /// Puts the id where upstream finds it.
    pub(super) fn pass_on(&self, fields: &mut Fields) {
        if sent(fields).is_none() {
            // One that was made here is not kept: whoever asks for it now finds it among the fields.
            match self.0.get() {
                Some(id) => fields.set(NAME, id),
                None => fields.set(NAME, &made()),
            }
        }
    }

    /// The id to be shown, made if it is.
    pub(super) fn shown<'a>(&'a self, fields: &'a Fields) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| f.write_str(self.of(fields)))
    }
}

/// Letters, digits and the punctuation of common ids, once: nothing that a page or a log could take for its own.
fn sent(fields: &Fields) -> Option<&[u8]> {
    let mut ids = fields.all(FieldName::XRequestId);
    let id = ids.next().filter(|_| ids.next().is_none())?;
    let harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:+/=".contains(byte);
    (!id.is_empty() && id.len() <= LONGEST && id.iter().all(harmless)).then_some(id)
}

/// 128 bits in hex that nobody can foretell, without asking the system each time.
fn made() -> [u8; 32] {
    let count = COUNT.with(|count| count.replace(count.get().wrapping_add(2)));
    let half = |number: u64| SECRET.with(|secret| u128::from(secret.hash_one(number)));
    let bits = half(count) << 64 | half(count | 1);
    let mut id = [0; 32];
    for (digits, byte) in id.chunks_exact_mut(2).zip(bits.to_be_bytes()) {
        digits.copy_from_slice(&[digit(byte >> 4), digit(byte & 0xf)]);
    }
    id
}

/// A hexadecimal digit, without a branch: letters are 39 further on.
fn digit(value: u8) -> u8 {
    b'0' + value + u8::from(value > 9) * 39
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(values: &[&str]) -> Fields {
        let mut fields = Fields::default();
        values.iter().for_each(|value| fields.append(NAME, value.as_bytes()));
        fields
    }

    fn value(fields: &Fields) -> &str {
        std::str::from_utf8(fields.get(FieldName::XRequestId).unwrap()).unwrap()
    }

    #[test]
    fn harmless_ids_are_kept_and_others_replaced() {
        for kept in ["a", "fba75c7b-8c27-4cdd-840e-694d808d0aab", "Root=1-67891233-abc"] {
            let mut fields = fields(&[kept]);
            let id = RequestId::default();
            assert_eq!(id.of(&fields), kept);
            id.pass_on(&mut fields);
            assert_eq!((fields.len(), value(&fields)), (1, kept));
        }
        let long: &str = &"a".repeat(129);
        for replaced in [&[][..], &[""], &["<script>"], &["a b"], &["\""], &["a", "b"], &["a", "a"]] {
            let id = RequestId::default();
            let mut fields = fields(replaced);
            let before = id.of(&fields).to_owned();
            assert!(before.len() == 32 && before.bytes().all(|byte| byte.is_ascii_hexdigit()), "{before}");
            id.pass_on(&mut fields);
            assert_eq!((fields.len(), value(&fields)), (1, &*before), "{replaced:?}");
            assert_eq!(id.of(&fields), before);
        }
        assert_eq!(RequestId::default().of(&fields(&[long])).len(), 32);
    }

    #[test]
    fn an_id_that_only_upstream_asked_for_is_the_one_in_the_log() {
        let (id, mut fields) = (RequestId::default(), Fields::default());
        id.pass_on(&mut fields);
        assert_eq!(id.of(&fields), value(&fields));
        let other = RequestId::default();
        assert_ne!(other.of(&Fields::default()), id.of(&fields));
    }
}
