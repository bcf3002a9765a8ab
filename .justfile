# One command a task; .ci/run is made of the same.

export RUSTDOCFLAGS := "-D warnings -D rustdoc::broken_intra_doc_links"

# What there is.
default:
    @just --list

# Made pages of the manual.
reference:
    ACLGATE_UPDATE_DOCS=1 cargo test --test it docs::the_reference

# Format everything.
fmt:
    cargo fmt
    cargo fmt --manifest-path tests/fuzz/Cargo.toml

# What CI asks of style and lints.
lint:
    .ci/run fmt lint

# Unit tests, integration tests, tables of cases, examples in the documentation.
test:
    cargo test

# Build and open the documentation.
doc:
    cargo doc --no-deps --document-private-items --open

# `aclgate check` on every configuration that is shipped.
check-configs:
    .ci/run configs

# Real identity servers and real clients around the release build.
interop *ARGS:
    tests/interop/run {{ARGS}}

# Everything under deploy/ through the tools that read it.
deploy:
    tests/deploy/run

# The Debian package, in a clean Debian.
package:
    tests/package/run

# Parse, compile and decide apart; then the whole gateway.
bench *ARGS:
    cargo bench {{ARGS}}

# A tour: an embedded identity server, a policy, the gateway in front.
demo:
    cargo run --release -- demo

# All that must hold before a change lands.
ci:
    .ci/run
