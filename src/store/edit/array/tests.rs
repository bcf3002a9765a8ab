//! Lists before and after, in the layouts that people use.

use super::*;
use toml_edit::Document;

fn changed(text: &str, drop: &[usize], add: &[&str]) -> String {
    let document = Document::parse(text).unwrap();
    let list = document.as_table()["a"].as_array().unwrap();
    let layout = Layout {
        text,
        whole: list.span().unwrap(),
        elements: list.iter().map(|element| element.span().unwrap()).collect(),
        newline: if text.contains("\r\n") { "\r\n" } else { "\n" },
    };
    let mut splices = Splices::default();
    let add = add.iter().map(|&element| super::super::table::written(element)).collect();
    layout.change(&ListEdit { drop: drop.to_vec(), change: Vec::new(), add }, &mut splices);
    splices.apply(text)
}

#[test]
fn lists_keep_their_layout() {
    #[rustfmt::skip]
    let cases: &[(&str, &[usize], &[&str], &str)] = &[
        // on one line
        ("a = []",                       &[],        &["x"],      "a = [\"x\"]"),
        ("a = [ ] # c",                  &[],        &["x", "y"], "a = [\"x\", \"y\"] # c"),
        ("a = ['p']",                    &[],        &["x"],      "a = ['p', \"x\"]"),
        ("a = ['p',]",                   &[],        &["x"],      "a = ['p', \"x\",]"),
        ("a = [ 'p' ]",                  &[],        &["x"],      "a = [ 'p', \"x\" ]"),
        ("a = ['p']",                    &[0],       &[],         "a = []"),
        ("a = ['p',]",                   &[0],       &["x"],      "a = [\"x\",]"),
        ("a = ['p', 'q', 'r']",          &[0],       &[],         "a = ['q', 'r']"),
        ("a = ['p', 'q', 'r']",          &[1],       &[],         "a = ['p', 'r']"),
        ("a = ['p', 'q', 'r']",          &[2],       &[],         "a = ['p', 'q']"),
        ("a = ['p', 'q', 'r']",          &[1, 2],    &[],         "a = ['p']"),
        ("a = ['p', 'q', 'r']",          &[0, 2],    &[],         "a = ['q']"),
        ("a = ['p', 'q', 'r']",          &[0, 1, 2], &[],         "a = []"),
        ("a = ['p', 'q', 'r']",          &[2],       &["x"],      "a = ['p', 'q', \"x\"]"),
        ("a = ['p', 'q',]",              &[1],       &["x"],      "a = ['p', \"x\",]"),
        ("a = ['p', 'q',]",              &[1],       &[],         "a = ['p',]"),
        // on several
        ("a = [\n  'p', # 1\n  'q', # 2\n]",   &[0],    &[],    "a = [\n  'q', # 2\n]"),
        ("a = [\n  'p', # 1\n  'q', # 2\n]",   &[1],    &["x"], "a = [\n  'p', # 1\n  \"x\",\n]"),
        ("a = [\n  'p', # 1\n  'q' # 2\n]",    &[],     &["x"], "a = [\n  'p', # 1\n  'q', # 2\n  \"x\"\n]"),
        ("a = [\n  'p', # 1\n  'q' # 2\n]",    &[1],    &["x"], "a = [\n  'p', # 1\n  \"x\"\n]"),
        ("a = [\n  'p'\n]",                    &[0],    &["x"], "a = [\n  \"x\"\n]"),
        ("a = [\n  # one\n  'p',\n  # all\n]", &[0],    &["x"], "a = [\n  # one\n  \"x\",\n  # all\n]"),
        ("a = [\n  # one\n  'p',\n  # all\n]", &[],     &["x"], "a = [\n  # one\n  'p',\n  \"x\",\n  # all\n]"),
        ("a = [\n  # none\n]",                 &[],     &["x"], "a = [\n  # none\n    \"x\",\n]"),
        ("a = [ # c\n]",                       &[],     &["x"], "a = [ # c\n    \"x\",\n]"),
        ("a = [\n  'p',\n  'q']",              &[],     &["x"], "a = [\n  'p',\n  'q',\n  \"x\"]"),
        ("a = ['p',\n     'q']",               &[],     &["x"], "a = ['p',\n     'q',\n     \"x\"]"),
        ("a = ['p',\n     'q']",               &[0],    &[],    "a = [\n     'q']"),
        ("a = [\n  'p', 'q',\n  'r', 's'\n]",  &[1, 2], &[],    "a = [\n  'p',\n  's'\n]"),
        ("a = [\n  'p', 'q',\n  'r', 's'\n]",  &[2, 3], &["x"], "a = [\n  'p', 'q',\n  \"x\"\n]"),
        ("a = [\n  'p'\n  , 'q'\n]",           &[],     &["x"], "a = [\n  'p'\n  , 'q',\n  \"x\"\n]"),
        ("a = [\r\n  'p',\r\n]",               &[],     &["x"], "a = [\r\n  'p',\r\n  \"x\",\r\n]"),
    ];
    for (before, drop, add, expected) in cases {
        assert_eq!(changed(before, drop, add), *expected, "{before:?} {drop:?} {add:?}");
    }
}

/// Whatever the layout, the elements are those that are kept, then those that are added.
#[test]
fn every_drop_of_every_layout_leaves_the_right_elements() {
    let gaps = ["", " ", "\n", " # c\n", "\n # c\n "];
    let mut tried = 0;
    for first in gaps {
        for (before, behind) in gaps.iter().flat_map(|before| gaps.map(|behind| (*before, behind))) {
            for (comma, last) in [(true, ""), (false, ""), (true, "\n"), (false, "\n")] {
                let text = format!(
                    "a = [{first}'p'{before},{behind}'q'{before},{behind}'r'{before}{}{last}]\n",
                    if comma { "," } else { "" }
                );
                for bits in 0..8_usize {
                    let drop: Vec<usize> = (0..3).filter(|at| bits >> at & 1 == 1).collect();
                    for add in [&[][..], &["x", "y"]] {
                        let changed = changed(&text, &drop, add);
                        let document = Document::parse(changed.as_str())
                            .unwrap_or_else(|error| panic!("{text:?} {drop:?} {add:?} {changed:?}\n{error}"));
                        let list = document.as_table()["a"].as_array().unwrap();
                        let found: Vec<&str> = list.iter().map(|element| element.as_str().unwrap()).collect();
                        let kept =
                            ["p", "q", "r"].into_iter().enumerate().filter(|(at, _)| !drop.contains(at));
                        let expected: Vec<&str> =
                            kept.map(|(_, text)| text).chain(add.iter().copied()).collect();
                        assert_eq!(found, expected, "{text:?} {drop:?} {changed:?}");
                        tried += 1;
                    }
                }
            }
        }
    }
    assert_eq!(tried, 5 * 25 * 4 * 16);
}

#[test]
fn new_lists_are_broken_if_they_are_long() {
    let element = |at: usize| format!("\"192.0.2.{at}\"");
    assert_eq!(written(&[element(1), element(2)], "\n"), "[\"192.0.2.1\", \"192.0.2.2\"]");
    let long = written(&(0..10).map(element).collect::<Vec<_>>(), "\n");
    assert!(long.starts_with("[\n    \"192.0.2.0\",\n") && long.ends_with("    \"192.0.2.9\",\n]"), "{long}");
}
