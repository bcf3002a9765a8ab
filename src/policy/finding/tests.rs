//! Findings in order, and what their codes promise.

use super::*;

#[test]
fn findings_are_sorted_by_place_the_file_itself_first() {
    let text = "one\ntwo three\n";
    let mut report = Report::new("z.toml", text);
    report.add_at(Code::BadListLine, Excerpt::of_bytes("a.netset".into(), 1, b"x", 0..1), "in a list");
    report.add(Code::BadRange, Span { start: 8, end: 13 }, "three");
    report.add(Code::UnusedAcl, Span { start: 4, end: 7 }, "two").hint("drop it");
    report.add(Code::UnknownKey, Span { start: 0, end: 3 }, "one").label("here");
    assert!(report.has_errors());
    let findings = report.finish();
    let places: Vec<_> = findings.iter().map(Finding::place).collect();
    assert_eq!(places, ["z.toml:1:1", "z.toml:2:1", "z.toml:2:5", "a.netset:1:1"]);
    assert_eq!(findings.count(), "3 errors, 1 warning");
    assert_eq!((findings.errors().count(), findings.warnings().count()), (3, 1));
}

#[test]
fn nothing_found_is_nothing_said() {
    let findings = Report::new("a.toml", "").finish();
    assert!(findings.is_empty() && !findings.has_errors());
    assert_eq!(
        (findings.count(), findings.render(true), findings.to_json().to_string()),
        (String::new(), String::new(), "[]".into())
    );
}

#[test]
fn warnings_alone_are_no_errors_and_colour_is_a_choice() {
    let mut report = Report::new("a.toml", "x");
    report.add(Code::UnusedAcl, Span { start: 0, end: 1 }, "never used");
    let findings = report.finish();
    assert!(!findings.has_errors());
    assert!(findings.render(true).contains('\u{1b}') && !findings.render(false).contains('\u{1b}'));
}

#[test]
fn the_column_of_a_cut_line_is_that_of_the_whole_line() {
    let text = format!("{}bad{}", " ".repeat(500), " ".repeat(500));
    let mut report = Report::new("a.toml", &text);
    report.add(Code::BadRange, Span { start: 500, end: 503 }, "bad").label("this");
    let rendered = report.finish().render(false);
    assert!(rendered.contains("a.toml:1:501") && rendered.contains("^^^ this"), "{rendered}");
}
