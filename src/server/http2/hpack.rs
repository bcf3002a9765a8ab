//! HPACK (RFC 7541): header blocks → field lines, and back.

mod decoder;
mod encoder;
mod huffman;
mod table;

pub use decoder::{Broken, Decoder, Line, Room};
pub(super) use encoder::{line, no_table, status};

#[cfg(test)]
mod tests;
