//! Databases over sockets: read again when they change, kept when they break, and nobody let in by their absence.

use crate::harness::{Gateway, Upstream};
use std::path::Path;

fn text(upstream: &Upstream, more: &str) -> String {
    format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\n[upstream]\nurl = \"http://{}\"\n\
         [geo]\ncountry_database = \"country.mmdb\"\n\
         [[ip_acl]]\nname = \"a\"\ndefault = \"allow\"\nblock_countries = [\"DE\"]\nallow = [\"203.0.113.1\"]\n\
         [[tenant]]\nid = \"t\"\nname = \"t\"\ndefault = true\nip_acl = \"a\"\n{more}",
        upstream.address
    )
}

/// As `geoipupdate` does: beside it, then in its place.
fn put(folder: &Path, bytes: &[u8]) {
    std::fs::write(folder.join("next"), bytes).unwrap();
    std::fs::rename(folder.join("next"), folder.join("country.mmdb")).unwrap();
}

/// The database of the cases, in which `203.0.113.128/25` is German and `198.51.100.0/24` is Swiss.
fn countries() -> Vec<u8> {
    std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/geography/country.mmdb")).unwrap()
}

/// The same with both countries exchanged.
fn exchanged() -> Vec<u8> {
    let mut bytes = countries();
    // A text of two letters, as such a database has it.
    let places: Vec<usize> = (0..bytes.len() - 2)
        .filter(|at| [b"BDE", b"BCH"].contains(&&bytes[*at..at + 3].try_into().unwrap()))
        .collect();
    assert_eq!(places.len(), 2);
    for at in places {
        let other = if bytes[at + 1] == b'D' { b"CH" } else { b"DE" };
        bytes[at + 1..at + 3].copy_from_slice(other);
    }
    bytes
}

/// What an address written as a range, one of either network, and one in no country are answered.
fn statuses(gateway: &Gateway) -> [u16; 4] {
    ["203.0.113.1", "203.0.113.129", "198.51.100.9", "10.9.9.9"]
        .map(|client| gateway.get(client, "/oauth2/authorize").status)
}

#[test]
fn a_new_database_comes_into_force_and_a_broken_one_does_not() {
    let upstream = Upstream::start();
    let gateway = Gateway::start_in(|folder| {
        put(folder, &countries());
        text(&upstream, "")
    });
    assert_eq!(statuses(&gateway), [200, 403, 200, 200]);
    gateway.and_then_in_force(|| put(gateway.folder(), &exchanged()));
    assert_eq!(statuses(&gateway), [200, 200, 403, 200]);
    let whole = countries();
    put(gateway.folder(), &whole[..whole.len() / 2]);
    let reload = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(gateway.running().reloader().reload()).map_err(|error| error.to_string())
    };
    let error = reload().unwrap_err();
    assert!(error.contains("`country.mmdb` cannot be read") && error.contains("any more"), "{error}");
    assert_eq!(statuses(&gateway), [200, 200, 403, 200], "the last good one stays");
    assert!(gateway.running().reloader().status().failure.is_some());
    gateway.and_then_in_force(|| put(gateway.folder(), &whole));
    assert_eq!(statuses(&gateway), [200, 403, 200, 200]);
    assert_eq!(gateway.running().reloader().status().failure, None);
}

#[test]
fn without_a_database_the_gateway_starts_and_is_closed_until_there_is_one() {
    let upstream = Upstream::start();
    let gateway = Gateway::start_in(|_| text(&upstream, ""));
    assert_eq!(statuses(&gateway), [200, 403, 403, 403]);
    // The file can be changed meanwhile.
    gateway.and_then_in_force(|| {
        let open = "[[path]]\nprefix = \"/x/\"\nip_acl = \"a\"\n";
        std::fs::write(gateway.file(), text(&upstream, open)).unwrap();
    });
    assert_eq!(statuses(&gateway), [200, 403, 403, 403]);
    gateway.and_then_in_force(|| put(gateway.folder(), &countries()));
    assert_eq!(statuses(&gateway), [200, 403, 200, 200]);
}
