//! # Why HTTP/1 is read by a scanner of our own
//!
//! **Context.** The bug class that this product closes is two parties that read the same bytes differently. Parsers of HTTP/1 are
//! lenient where RFC 9112 allows a recipient to be: a bare LF ends a line, equal `Content-Length` fields are merged, a fragment is
//! dropped from the target. Two of them in a row, ours and a general one behind it, are two readings again, and cost 16,000
//! instructions a request where one costs a third of that.
//!
//! **Decision.** On HTTP/1 connections the strict scanner ([`crate::server::scanner`]) alone says where a head ends and which bytes of a
//! body are data; the first thing that has two readings ends the connection. While it reads it notes where fields
//! stand, and the request is made of that ([`crate::request::fields`]); tests and fuzzers hold it to the fields and the end that
//! `httparse` finds. Bodies are read when they are asked for. What goes
//! upstream, and back, is written and framed anew ([`crate::http1`]). Responses of the upstream are read by a reader that is lenient where
//! servers are sloppy (chunk extensions, bare LF in heads) and strict about where a body ends ([`crate::upstream::http1`]).
//!
//! **Consequences.** Limits and time-outs on heads live where the bytes are counted, and get their proper answers (408, 414, 431). An idle
//! connection holds no buffer: heads are read through one of the worker's. Framing, pipelining, 100 (Continue) and upgrades are ours to
//! get right; the attack suites, the cut-anywhere property tests and the fuzz targets are there for that.
//!
//! **Rejected.** The scanner in front of hyper's parser, which handed on what it had called safe: twice the work, buffers that hyper never
//! gave back, and placeholders for refused heads. Checking what a general parser parsed: what it dropped or merged cannot be
//! seen any more. HTTP/2 of our own: its framing leaves less to disagree about, and h2 is well kept.
