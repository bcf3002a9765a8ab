//! The compiled form against a linear scan.

use super::*;
use proptest::prelude::*;

fn row<W>(start: W, end: W, blocks: bool, line: u32) -> Row<W> {
    Row { span: Span { start, end }, line, file: 0, tier: 0, blocks }
}

/// The row that the rules name, the slow way: of the lowest tier, narrowest, Block before Allow, and of equals the first
/// written.
fn scan<W: Word>(rows: &[Row<W>], address: W) -> Option<&Row<W>> {
    let covers = |row: &&Row<W>| row.span.start <= address && address <= row.span.end;
    let size = |row: &Row<W>| row.span.end.offset_from(row.span.start);
    rows.iter()
        .filter(covers)
        .min_by_key(|row| (row.tier, size(row), !row.blocks, Reverse(row.span.start), row.file, row.line))
}

fn is_apart<W: Word>(map: &RangeMap<W>) -> bool {
    matches!(map.0, Form::Apart(_))
}

fn segments<W: Word>(map: &RangeMap<W>) -> usize {
    match &map.0 {
        Form::Apart(_) => 0,
        Form::Painted(painted) => painted.segments.len(),
    }
}

fn describe<W: Word>(row: &Row<W>) -> (Span<W>, u8, bool, u16, u32) {
    (row.span, row.tier, row.blocks, row.file, row.line)
}

/// Compares with the scan at and around every edge, and compares pieces and rows as well.
fn check<W: Word>(rows: &[Row<W>]) {
    let map = RangeMap::new(rows.to_vec());
    let around = |word: W| [word.previous(), word, word.next().unwrap_or(W::LAST)];
    let edges = rows.iter().flat_map(|row| [row.span.start, row.span.end]);
    let pieces: Vec<_> = map.pieces().collect();
    for address in edges.flat_map(around).chain([W::FIRST, W::LAST]) {
        let expected = scan(rows, address);
        let found = map.find(address);
        let row = found.and_then(|(row, _)| map.row(row));
        assert_eq!(row.as_ref().map(describe), expected.map(describe), "{address:?} in {rows:?}");
        assert_eq!(
            found.map(|(_, blocks)| blocks),
            expected.map(|row| row.blocks),
            "{address:?} in {rows:?}"
        );
        let covers = |(span, _): &&(Span<W>, bool)| span.start <= address && address <= span.end;
        let piece = pieces.iter().find(covers).map(|(_, blocks)| *blocks);
        assert_eq!(piece, expected.map(|row| row.blocks), "{address:?} in {pieces:?}");
    }
    assert!(pieces.is_sorted_by(|(a, _), (b, _)| a.end < b.start), "{pieces:?}");
    assert!(segments(&map) <= 2 * rows.len() + 1);
    let mut pushed: Vec<_> = rows.iter().map(describe).collect();
    let mut kept: Vec<_> = (0..map.len()).filter_map(|at| map.row(at)).map(|row| describe(&row)).collect();
    pushed.sort_unstable();
    kept.sort_unstable();
    assert_eq!(pushed, kept);
    check_crossings(rows, &map);
}

fn check_crossings<W: Word>(rows: &[Row<W>], map: &RangeMap<W>) {
    let cross = |a: &Row<W>, b: &Row<W>| {
        a.span.start < b.span.start
            && b.span.start <= a.span.end
            && a.span.end < b.span.end
            && a.blocks != b.blocks
            && (a.tier, b.tier) == (0, 0)
    };
    let both = |a: &Row<W>, b: &Row<W>| (describe(a), describe(b));
    let mut expected: Vec<_> =
        rows.iter().flat_map(|a| rows.iter().filter(move |b| cross(a, b)).map(move |b| both(a, b))).collect();
    let found = map.crossings(usize::MAX);
    let mut described: Vec<_> =
        found.iter().map(|(a, b)| both(&map.row(*a).unwrap(), &map.row(*b).unwrap())).collect();
    expected.sort_unstable();
    described.sort_unstable();
    assert_eq!(described, expected);
    for limit in [0, 1, expected.len() / 2] {
        assert_eq!(map.crossings(limit), found[..limit.min(found.len())]);
    }
}

/// A name; first and last address, and whether it blocks, of each row.
type Case = (&'static str, &'static [(u32, u32, bool)]);

#[test]
fn named_cases() {
    const MAX: u32 = u32::MAX;
    #[rustfmt::skip]
    let cases: &[Case] = &[
        ("nothing",               &[]),
        ("one address",           &[(5, 5, true)]),
        ("everything",            &[(0, MAX, true)]),
        ("both edges",            &[(0, 0, true), (MAX, MAX, false)]),
        ("adjacent",              &[(0, 4, true), (5, 9, false), (10, MAX, true)]),
        ("nested",                &[(0, MAX, true), (10, 20, false), (15, 15, true)]),
        ("nested, same start",    &[(10, 90, true), (10, 20, false), (10, 10, true)]),
        ("nested, same end",      &[(10, 90, true), (50, 90, false), (90, 90, true)]),
        ("nested at the end",     &[(10, MAX, true), (50, MAX, false), (MAX, MAX, true)]),
        ("same, both actions",    &[(10, 20, false), (10, 20, true), (10, 20, false)]),
        ("same, one action",      &[(10, 20, true), (10, 20, true), (30, 40, false), (30, 40, false)]),
        ("crossing, one size",    &[(10, 20, false), (15, 25, true), (20, 30, false)]),
        ("crossing, narrow first",&[(10, 20, false), (15, 90, true)]),
        ("wide behind narrow",    &[(10, 20, false), (30, 40, true), (5, 35, false), (20, 30, true)]),
        ("stairs",                &[(0, 10, true), (5, 16, false), (10, 23, true), (15, 31, false), (20, 40, true)]),
    ];
    for (name, rows) in cases {
        println!("{name}");
        let lines = (1..).zip(*rows);
        let rows: Vec<_> =
            lines.map(|(line, (start, end, blocks))| row(*start, *end, *blocks, line)).collect();
        check(&rows);
        check(&rows.iter().rev().copied().collect::<Vec<_>>());
        let wide = |word: u32| if word == MAX { u128::MAX } else { u128::from(word) << 90 };
        let wide: Vec<_> =
            rows.iter().map(|r| row(wide(r.span.start), wide(r.span.end), r.blocks, r.line)).collect();
        check(&wide);
    }
}

/// A name; first and last address of each row.
type Shape = (&'static str, fn(u32) -> (u32, u32));

/// What makes a sweep without a proper heap, or a search for crossings by pairs, take minutes.
#[test]
fn no_shape_is_quadratic() {
    const ROWS: u32 = 50_000;
    let shapes: [Shape; 5] = [
        ("nested", |at| (at, u32::MAX - at)),
        ("crossing", |at| (at, u32::MAX / 2 + at)),
        ("stairs", |at| (at * 2, at * 2 + 3)),
        ("same start", |at| (7, at + 7)),
        ("all the same", |_| (7, 9)),
    ];
    for (name, shape) in shapes {
        println!("{name}");
        let rows: Vec<_> = (0..ROWS)
            .map(|at| (at, shape(at)))
            .map(|(at, (start, end))| row(start, end, at % 2 == 0, at))
            .collect();
        let map = RangeMap::new(rows.clone());
        for probe in [0, 7, 8, ROWS / 2, ROWS, u32::MAX / 2, u32::MAX] {
            let found = map.find(probe).and_then(|(row, _)| map.row(row));
            assert_eq!(found.as_ref().map(describe), scan(&rows, probe).map(describe), "{name} {probe}");
        }
        assert!(map.crossings(100).len() <= 100);
    }
}

#[test]
fn disjoint_rows_need_no_segments() {
    let rows: Vec<_> = (0..1000_u32).map(|at| row(at * 10, at * 10 + 9, at % 3 == 0, at)).collect();
    assert!(is_apart(&RangeMap::new(rows.clone())));
    assert!(is_apart(&RangeMap::new(rows.repeat(2))));
    assert!(segments(&RangeMap::new([rows, vec![row(5, 15, true, 1)]].concat())) > 0);
}

#[test]
fn what_covers_more_than_half_of_the_address_space_is_painted() {
    const HALF: u32 = 1 << 31;
    for (end, apart) in [(0, true), (HALF - 1, true), (HALF, false), (u32::MAX, false)] {
        for blocks in [false, true] {
            let narrow = [row(0, end, blocks, 1)];
            let wide = [row(0, u128::from(end) << 96 | u128::MAX >> 32, blocks, 1)];
            assert_eq!(is_apart(&RangeMap::new(narrow.to_vec())), apart, "{end}");
            assert_eq!(is_apart(&RangeMap::new(wide.to_vec())), apart, "{end}");
            check(&narrow);
            check(&wide);
        }
    }
}

/// Rows no two different of which overlap; some come twice, with either action.
fn apart<W: Word>(word: fn(u32) -> W) -> impl Strategy<Value = Vec<Row<W>>> {
    let bounds = prop::collection::btree_set(prop_oneof![2 => 0_u32..400, 1 => any::<u32>()], 0..200);
    let rest = prop::collection::vec((any::<bool>(), any::<u32>(), any::<u16>(), 0_u8..3, 0..4), 100);
    (bounds, rest).prop_map(move |(bounds, rest)| {
        let bounds: Vec<u32> = bounds.into_iter().collect();
        let one = |(bounds, (blocks, line, file, tier, form)): (&[u32], &(bool, u32, u16, u8, i32))| {
            let end = if *form == 0 { bounds.first() } else { bounds.last() };
            let span = Span { start: word(bounds[0]), end: word(*end.unwrap()) };
            let first = Row { span, line: *line, file: *file, tier: *tier, blocks: *blocks };
            let second = Row { line: line.wrapping_add(1), blocks: !blocks, ..first };
            [Some(first), (*form == 1).then_some(second)].into_iter().flatten()
        };
        bounds.chunks(2).zip(&rest).flat_map(one).collect()
    })
}

/// Whether rows that do not overlap are short enough to be kept apart.
fn is_short<W: Word>(rows: &[Row<W>]) -> bool {
    let bits = |row: &Row<W>| row.span.end.offset_from(row.span.start).bit_length();
    rows.iter().all(|row| bits(row) < W::LAST.bit_length())
}

/// Rows close to each other, so that they meet, and at the edges of the address space.
fn rows<W: Word>(word: fn(u32) -> W) -> impl Strategy<Value = Vec<Row<W>>> {
    let bound = prop_oneof![4 => 0_u32..40, 2 => 200_u32..240, 1 => Just(u32::MAX), 2 => any::<u32>()];
    let tier = prop_oneof![3 => Just(0_u8), 1 => 1_u8..3];
    let one = (bound.clone(), bound, any::<bool>(), 0_u32..4, (0_u16..2, tier)).prop_map(
        move |(a, b, blocks, line, (file, tier))| {
            let span = Span { start: word(a.min(b)), end: word(a.max(b)) };
            Row { span, line, file, tier, blocks }
        },
    );
    prop_oneof![prop::collection::vec(one.clone(), 0..12), prop::collection::vec(one, 60..150)]
}

proptest! {
    #[test]
    fn answers_as_a_scan_does(v4 in rows(|word| word), v6 in rows(|word| u128::from(word) << 96 | u128::from(word))) {
        check(&v4);
        check(&v6);
    }

    #[test]
    fn rows_that_lie_apart_answer_as_a_scan_does(v4 in apart(|word| word), v6 in apart(|word| u128::from(word) << 96 | u128::from(word))) {
        check(&v4);
        check(&v6);
        prop_assert_eq!(is_apart(&RangeMap::new(v4.clone())), is_short(&v4));
        prop_assert_eq!(is_apart(&RangeMap::new(v6.clone())), is_short(&v6));
    }

    #[test]
    fn order_does_not_matter(mut shuffled in rows(|word| word).prop_shuffle()) {
        let map = RangeMap::new(shuffled.clone());
        shuffled.sort_unstable_by_key(describe);
        let sorted = RangeMap::new(shuffled);
        prop_assert_eq!(format!("{map:?}"), format!("{sorted:?}"));
    }
}
