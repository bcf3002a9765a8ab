//! Directories: what names whom, and how surely.

use super::*;

fn directory(ids: &[&str]) -> Directory<String> {
    let subjects: Vec<_> = ids.iter().map(|id| Arc::new((*id).to_owned())).collect();
    Directory::new(ids.iter().copied().zip(&subjects))
}

/// `=id` for an exact match, `~id` for a variant.
fn found(directory: &Directory<String>, value: &str) -> Vec<String> {
    let describe = |found: &Match<'_, String>| match found {
        Match::Exact(id) => format!("={id}"),
        Match::Variant(id) => format!("~{id}"),
    };
    directory.find(value).iter().map(describe).collect()
}

const ACME: &str = "d7d09513-a3f5-401c-9685-34ab6c552453";

#[test]
fn tells_the_same_from_the_alike() {
    let directory = directory(&[ACME, "shop", "Shop", "Straße", "kiosk", "1-2-3-4-5", " spaced "]);
    #[rustfmt::skip]
    let cases: &[(&str, &[&str])] = &[
        ("shop",                                     &["=shop"]),
        ("Shop",                                     &["=Shop"]),
        ("SHOP",                                     &["~shop", "~Shop"]),
        (" shop",                                    &["~shop", "~Shop"]),
        ("shop\0",                                   &["~shop", "~Shop"]),
        ("\u{1}shop\r\n",                            &["~shop", "~Shop"]),
        ("\u{feff}shop\u{a0}",                       &["~shop", "~Shop"]),
        ("\u{17f}hop",                               &["~shop", "~Shop"]),
        ("sh op",                                    &[]),
        ("sho",                                      &[]),
        ("",                                         &[]),
        (" ",                                        &[]),
        ("straße",                                   &["~Straße"]),
        ("STRASSE",                                  &["~Straße"]),
        ("\u{212a}IOSK",                             &["~kiosk"]),
        (" spaced ",                                 &["= spaced "]),
        ("spaced",                                   &["~ spaced "]),
        (ACME,                                       &["=d7d09513-a3f5-401c-9685-34ab6c552453"]),
        ("D7D09513-A3F5-401C-9685-34AB6C552453",     &["=d7d09513-a3f5-401c-9685-34ab6c552453"]),
        ("+d7d09513-a3f5-401c-9685-34ab6c55245",     &[]),
        ("d7d09513-a3f5-401c-9685-34ab6c552453\t",   &["~d7d09513-a3f5-401c-9685-34ab6c552453"]),
        ("d7d09513a3f5401c968534ab6c552453",         &["~d7d09513-a3f5-401c-9685-34ab6c552453"]),
        ("{D7D09513-A3F5-401C-9685-34AB6C552453}",   &["~d7d09513-a3f5-401c-9685-34ab6c552453"]),
        ("01-0002-3-4-0000005",                      &["=1-2-3-4-5"]),
        ("1-2-3-4-6",                                &[]),
    ];
    for (value, expected) in cases {
        assert_eq!(found(&directory, value), *expected, "{value:?}");
    }
}

#[test]
fn what_is_listed_is_found_by_its_id_in_any_alphabet() {
    let directory = directory(&[ACME, "shop", "Shop", "Straße", "Ó"]);
    for id in [ACME, "shop", "Shop", "Straße", "Ó"] {
        assert_eq!(directory.listed(id).map(String::as_str), Some(id));
    }
    assert_eq!(directory.listed(&ACME.to_uppercase()).map(String::as_str), Some(ACME));
    for other in ["SHOP", "straße", "ó", " shop", ""] {
        assert_eq!(directory.listed(other), None, "{other:?}");
    }
    assert_eq!(found(&directory, "Ó"), ["~Ó"], "of a request nobody knows the charset");
}

#[test]
fn nobody_is_found_where_nobody_is_listed() {
    let empty = directory(&[]);
    assert!(empty.is_empty());
    assert_eq!(found(&empty, ACME), [""; 0]);
    assert!(!directory(&["a"]).is_empty());
    assert!(!directory(&[ACME]).is_empty());
}

#[test]
fn a_subject_may_stand_under_several_ids() {
    let subject = Arc::new("acme".to_owned());
    let directory = Directory::new([(ACME, &subject), ("acme", &subject)].into_iter());
    assert_eq!(found(&directory, ACME), ["=acme"]);
    assert_eq!(found(&directory, "acme"), ["=acme"]);
}

#[test]
fn long_ids_are_found_like_short_ones() {
    for length in [63, 64, 65, 500] {
        let id = "Ab".repeat(length);
        let directory = directory(&[id.get(..length).unwrap()]);
        let id = id.get(..length).unwrap();
        assert_eq!(found(&directory, id), [format!("={id}")]);
        assert_eq!(found(&directory, &id.to_uppercase()), [format!("~{id}")]);
    }
}
