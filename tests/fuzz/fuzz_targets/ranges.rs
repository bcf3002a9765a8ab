//! A range that is accepted contains both of its ends and reads the same when it is written out.
#![no_main]

use aclgate::policy::range::AddressRange;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(range) = text.parse::<AddressRange>() else { return };
    assert!(range.start() <= range.end());
    assert!(range.contains(range.start()) && range.contains(range.end()));
    let again: AddressRange = format!("{}-{}", range.start(), range.end()).parse().unwrap();
    assert_eq!((again.start(), again.end()), (range.start(), range.end()));
});
