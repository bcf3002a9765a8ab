//! The whole gateway over real sockets, with a scripted upstream behind it.

mod enforcement;
mod harness;
