//! The binary: arguments in, exit code out. Everything else is the library's.

use std::process::ExitCode;

/// Cheaper than the system's for the small, short-lived pieces of a request, and it gives back what a burst has taken.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    aclgate::cli::main()
}
