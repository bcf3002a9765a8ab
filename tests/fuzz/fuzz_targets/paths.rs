//! Every reading of a target is found, and a target that is written plainly under a prefix is under it.
#![no_main]

use aclgate::policy::path::{PathPrefix, PathReadings};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|target: &str| {
    let prefix: PathPrefix = "/oauth2/".parse().unwrap();
    let readings = PathReadings::of(target);
    let under = readings.any_under(&prefix);
    let listed = readings.iter().any(|reading| PathReadings::of(&reading).any_under(&prefix));
    assert!(under || !listed, "{target:?}");
    let path = target.split(['?', '#']).next().unwrap_or_default();
    if path.to_ascii_lowercase().starts_with("/oauth2/") && !path.contains("..") {
        assert!(under, "{target:?}");
    }
});
