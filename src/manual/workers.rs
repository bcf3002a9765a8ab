//! # One thread, one runtime, one pool
//!
//! **Context.** Every request touches a downstream connection, an upstream connection and counters. Shared between threads, each of
//! them needs a lock or an atomic operation that other cores wait for.
//!
//! **Decision.** A worker is a thread with a single-threaded runtime. Connections are accepted in one place and given to the
//! worker that has the fewest; from then on everything that a connection needs (upstream pool, time-outs, counters)
//! belongs to its worker. The policy snapshot is the one thing that all workers share, and it is read without a lock.
//!
//! **Consequences.** With few long connections, such as those of an edge proxy, the load is as even as can be. An idle upstream connection
//! is not shared between workers, so there are up to N times as many.
//!
//! **Rejected.** `SO_REUSEPORT` with a listener a worker: the kernel spreads connections by hash, and with 32 of them two
//! workers are rarely even. A work-stealing runtime: measured equal within noise on two cores, and everything must be `Send`.
