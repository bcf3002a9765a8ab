//! The whole gateway over real sockets, with a scripted upstream behind it.
//!
//! `cfg(test)` is always on here; it tells the linter that these are tests.

#[cfg(test)]
mod admin;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod client_address;
#[cfg(test)]
mod decisions;
#[cfg(test)]
mod deploy;
#[cfg(test)]
mod disguise;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod edit_storm;
#[cfg(test)]
mod enforcement;
#[cfg(test)]
mod expiring;
#[cfg(test)]
mod framing;
#[cfg(test)]
mod geography;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod impact;
#[cfg(test)]
mod logging;
#[cfg(test)]
mod observing;
#[cfg(test)]
mod process;
#[cfg(test)]
mod proxying;
#[cfg(test)]
mod reloading;
#[cfg(test)]
mod tls;
#[cfg(feature = "otlp")]
#[cfg(test)]
mod traces;
#[cfg(test)]
mod upgrading;
