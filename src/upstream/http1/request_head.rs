//! The head of a request, written: method, target and fields in → bytes out.
//!
//! What stands in a `Method`, a `Target` or in fields was checked when it was made: none of
//! it holds a CR, an LF or, but for values, a blank. So what is written here is one head and nothing more.

use super::super::headers::FieldWriter;
use crate::http1::{FieldLine, put_field};
use crate::request::fields::Field;
use http::Method;

/// The first line of a request.
#[derive(Debug)]
pub(in crate::upstream) struct RequestLine<'a> {
    /// Its method.
    pub(in crate::upstream) method: &'a Method,
    /// Its target, to the byte as it came.
    pub(in crate::upstream) target: &'a str,
    /// Whether the client told of trailers. Such as nobody told of stay here: not every server reads them.
    pub(in crate::upstream) announces_trailers: bool,
    /// Whether the connection ends with this exchange, and the upstream is told so.
    pub(in crate::upstream) ends: bool,
}

impl RequestLine<'_> {
    pub(super) fn begin(&self, head: &mut Vec<u8>) {
        for part in [self.method.as_str(), " ", self.target, " HTTP/1.1\r\n"] {
            head.extend_from_slice(part.as_bytes());
        }
    }

    pub(super) fn is_head(&self) -> bool {
        self.method == Method::HEAD
    }
}

impl FieldWriter for Vec<u8> {
    fn pass(&mut self, field: &Field<'_>, line: Option<&[u8]>) {
        FieldLine { name: field.name, value: field.value, text: line }.write(self);
    }

    fn write(&mut self, name: &str, value: &[u8]) {
        put_field(self, name.as_bytes(), value);
    }
}
