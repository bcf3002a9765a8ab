//! From a request to its facts: who asks, from where, for what, in whose name.

pub mod api_key;
pub mod body;
pub mod client_address;
pub mod client_names;
pub mod connection;
pub mod error;
pub mod facts;
pub mod head;
pub mod record;
pub mod subjects;

mod base64;
#[cfg(test)]
mod fixture;

pub use body::RequestBody;
pub use client_address::{ClientAddress, Source};
pub use connection::{Connection, Scheme};
pub use error::RequestError;
