//! Any text at all is a configuration or has findings, and findings can be shown.
#![no_main]

use aclgate::config::load;
use aclgate::policy::NoFiles;
use aclgate::policy::moment::Moment;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let outcome = load(text, "fuzz.toml", &NoFiles, Moment::FIRST);
    assert!(outcome.loaded.is_some() || format!("{:?}", outcome.findings).len() > 2);
});
