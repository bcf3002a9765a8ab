//! # Why HTTP is read by parsers of our own
//!
//! **HTTP/1: context.** The bug class that this product closes is two parties that read the same bytes differently. Parsers of HTTP/1 are
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
//! seen any more.
//!
//! **HTTP/2: context.** Its framing leaves less to disagree about, so it was left to hyper and h2 at first. Their types are those of a
//! general server: a map of fields in each direction, a future and a queue for each stream, tables that grow with the most
//! that a connection ever did. A request cost 48,000 instructions, twice one of HTTP/1; a connection that had once carried a hundred
//! requests at once kept 159 KiB, and one that had carried large heads 42, where 32 is the bound.
//!
//! **Decision.** [`crate::server::http2`] reads frames and header blocks straight into the same fields, and writes lines straight into
//! blocks. What has two readings in HTTP/1 is refused by the same rules, targets among it. Responses use no dynamic table
//! and no Huffman code, as those of HAProxy.
//!
//! **Consequences.** 25,000 instructions a request; 4 KiB an idle connection, whatever it has carried. Flow control, resets, GOAWAY and
//! floods are ours to get right: the suites write frames by hand and know every rule of RFC 9113 §5 and §6, the decoder is held to
//! the examples of RFC 7541 and to tables as its text has them, and a fuzz target holds it to another decoder.
//!
//! **Rejected.** h2 without hyper: the maps and the tables stay.
