//! HTTP/1.1 on the wire: what the side of clients and the side of the upstream have in common.
//!
//! Both read by rules of their own, strict here and lenient there, but for whole lines that nothing can be said against
//! (`plain_field`); what is written is written in one way (RFC 9112 §6).

mod eights;
mod field_lines;
mod fields;
mod plain_field;
mod sending;

pub use eights::make_lower;
pub use field_lines::{FieldLine, FieldLines, Lined};
pub use fields::{decimal, fields_of, header_map, mentions, put_field};
pub use plain_field::{PlainField, lower_token, plain_field, text_length, token_length};
pub use sending::{Coding, SendError, Sending};
