//! From a request to its facts: who asks, from where, for what, in whose name.

pub mod api_key;
pub mod body;
pub mod client_address;
pub mod connection;
pub mod error;
pub mod facts;
pub mod subjects;

pub use body::RequestBody;
pub use connection::{Connection, Scheme};
pub use error::RequestError;
