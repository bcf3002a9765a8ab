//! The whole gateway over real sockets, with a scripted upstream behind it.

#[cfg(test)]
mod cli;
mod enforcement;
mod harness;
