//! The whole gateway over real sockets, with a scripted upstream behind it.

mod cli;
mod enforcement;
mod harness;
