//! What a request says to us, the next hop, and what a trusted proxy says of the hop before.
//!
//! Fields in → the options of `Connection`, what is said of trailers, and the forwarding fields that may be kept.
//! Source: RFC 9110 §7.6.1.

use super::names;
use crate::http1::mentions;
use crate::request::{FieldName, Fields, RequestError};
use smallvec::SmallVec;
use std::sync::Arc;

/// Options of `Connection` that we are willing to look at; far more than any honest client names.
const MOST: usize = 16;

/// The options that `Connection` names, without those that are dropped anyway.
#[derive(Default)]
pub(super) struct Options<'a>(SmallVec<[&'a [u8]; 4]>);

impl<'a> Options<'a> {
    /// Adds those of a value of `Connection`.
    ///
    /// # Errors
    /// [`RequestError::Malformed`] if there are more than anybody needs.
    pub(super) fn add(&mut self, value: &'a [u8]) -> Result<(), RequestError> {
        for option in value.split(|&sign| sign == b',').map(<[u8]>::trim_ascii) {
            let usual: [&[u8]; 5] = [b"", b"keep-alive", b"close", b"upgrade", b"te"];
            if usual.iter().any(|usual| usual.eq_ignore_ascii_case(option)) {
                continue;
            }
            if self.0.len() == MOST {
                return Err(RequestError::Malformed("too many options in `Connection`"));
            }
            self.0.push(option);
        }
        Ok(())
    }

    /// Whether they take out this field, whose name is in lower case. What every recipient is meant to see stays, and
    /// `decisive` ones.
    pub(super) fn remove(&self, name: &[u8], decisive: &[Arc<str>]) -> bool {
        self.0.iter().any(|option| option.eq_ignore_ascii_case(name))
            && std::str::from_utf8(name).is_ok_and(|name| {
                !names::is_end_to_end(name) && !decisive.iter().any(|known| **known == *name)
            })
    }
}

/// A field that counts if it was sent once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Sent<'a> {
    /// Never.
    #[default]
    Never,
    /// Once, with this value.
    Once(&'a [u8]),
    /// Several times.
    Often,
}

impl<'a> Sent<'a> {
    fn of(mut values: impl Iterator<Item = &'a [u8]>) -> Self {
        match (values.next(), values.next()) {
            (None, _) => Self::Never,
            (Some(value), None) => Self::Once(value),
            (Some(_), Some(_)) => Self::Often,
        }
    }

    /// The value, if there is one alone and it is sane.
    pub(super) fn once(self, is_sane: impl Fn(&[u8]) -> bool) -> Option<&'a [u8]> {
        match self {
            Self::Once(value) if is_sane(value) => Some(value),
            Self::Never | Self::Once(_) | Self::Often => None,
        }
    }
}

/// What was found.
#[derive(Default)]
pub(super) struct HopFields<'a> {
    pub(super) options: Options<'a>,
    /// Whether trailers may be sent back (RFC 9110 §10.1.4).
    pub(super) takes_trailers: bool,
    /// Whether trailers are announced.
    pub(super) announces_trailers: bool,
    /// `X-Forwarded-Proto`, `-Host` and `-Port`.
    pub(super) proto: Sent<'a>,
    pub(super) host: Sent<'a>,
    pub(super) port: Sent<'a>,
}

impl<'a> HopFields<'a> {
    /// Reads the fields of a request. Linear.
    ///
    /// # Errors
    /// [`RequestError::Malformed`] if `Connection` names more options than anybody needs.
    pub(super) fn of(fields: &'a Fields) -> Result<Self, RequestError> {
        let mut options = Options::default();
        fields.all(FieldName::Connection).try_for_each(|value| options.add(value))?;
        Ok(Self {
            options,
            takes_trailers: fields.all(FieldName::Te).any(|value| mentions(value, b"trailers")),
            announces_trailers: fields.have(FieldName::Trailer),
            proto: Sent::of(fields.all(FieldName::XForwardedProto)),
            host: Sent::of(fields.all(FieldName::XForwardedHost)),
            port: Sent::of(fields.all(FieldName::XForwardedPort)),
        })
    }
}
