//! From a request to its facts: who asks, from where, for what, in whose name.

pub mod api_key;
pub mod body;
pub mod client_address;
pub mod client_names;
pub mod connection;
pub mod error;
pub mod facts;
pub mod field_name;
pub mod fields;
pub mod head;
pub mod record;
mod request_head;
pub mod subjects;
mod target;

mod base64;
#[cfg(test)]
mod fixture;

pub use body::RequestBody;
pub use client_address::{ClientAddress, Source};
pub use connection::{Connection, Scheme};
pub use error::RequestError;
pub use field_name::FieldName;
pub use fields::Fields;
pub use request_head::RequestHead;
pub use target::Target;
