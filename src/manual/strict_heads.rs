//! # Why heads are read twice
//!
//! **Context.** The bug class that this product closes is two parties that read the same bytes differently. hyper's
//! parser is deliberately lenient where RFC 9112 allows a recipient to be: a bare LF ends a line, equal
//! `Content-Length` fields are merged, a fragment is dropped from the target.
//!
//! **Decision.** On HTTP/1 connections a strict scanner stands between the socket and hyper. It follows every message to
//! the byte, hands on only heads that have exactly one reading, and ends the connection at the first that has two. A refused
//! head is replaced by a placeholder request which the handler answers in its stead, so that pipelined answers before it keep
//! their order and hyper stays the only writer. What goes upstream is framed anew.
//!
//! **Consequences.** A head is scanned once more, by a table-driven pass over bytes that are in the cache. Limits and time-outs on heads
//! live where the bytes are counted, and get their proper answers (408, 414, 431).
//!
//! **Rejected.** Checking what hyper parsed (what it dropped or merged cannot be seen any more); a parser of our own instead of
//! hyper's (framing, upgrades and HTTP/2 are better kept elsewhere).
