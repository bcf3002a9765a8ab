//! Path readings: an ordinary path, an odd one, the worst that 8 KiB can do; and prefixes matched on them.

use aclgate::policy::path::{PathPrefix, PathReadings};
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

const PLAIN: &str = "/oauth2/authorize?client_id=85a03867-dccf-4882-adde-1a79aeec50df&response_type=code";

fn targets() -> [(&'static str, String); 7] {
    [
        ("1 plain", PLAIN.to_owned()),
        ("2 escaped blank", "/api/user/some%20name".to_owned()),
        ("3 odd", "/x/..;foo=bar/%2e%2e%2foauth2//authorize".to_owned()),
        ("4 everything", "//x%5c/%2e%2e;a=b/.//OAUTH2%20;%3b/%u002e%c0%af％authorize".to_owned()),
        ("5 worst: escapes", format!("/{}", "%25%32%66;..\\".repeat(8192 / 13))),
        ("6 worst: characters", format!("/{}", "\u{12f}\u{3b0}．/%c0%ae".repeat(8192 / 20))),
        ("7 worst: many readings", "/a;b%2fc\\d//%2e./%20%09?x#%c0%af.．%25".replace('?', "%3f")),
    ]
}

#[divan::bench(args = 0..7)]
fn read(bencher: Bencher<'_, '_>, case: usize) {
    let targets = targets();
    let Some((_, target)) = targets.get(case) else { return };
    bencher.bench(|| PathReadings::of(black_box(target)));
}

#[divan::bench(args = 0..7)]
fn match_thirty_prefixes(bencher: Bencher<'_, '_>, case: usize) {
    let targets = targets();
    let Some((_, target)) = targets.get(case) else { return };
    let prefixes: Vec<_> = (0..30).filter_map(|n| PathPrefix::new(&format!("/prefix{n}/")).ok()).collect();
    let readings = PathReadings::of(target);
    bencher.bench(|| black_box(&readings).any_under_one_of(black_box(&prefixes)));
}
