//! HTTP/1.1 on the wire: what the side of clients and the side of the upstream have in common.
//!
//! Both read by rules of their own, strict here and lenient there; what is written is written in one way
//! (RFC 9112 §6).

mod field_lines;
mod fields;
mod sending;

pub use field_lines::{FieldLines, Lined};
pub use fields::{fields_of, header_map, mentions, put_field};
pub use sending::{Coding, SendError, Sending};
