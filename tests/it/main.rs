//! The whole gateway over real sockets, with a scripted upstream behind it.

#[cfg(test)]
mod cli;
mod client_address;
mod enforcement;
mod harness;
mod reloading;
