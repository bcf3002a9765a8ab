//! Ranges by the stages of their life, apart: read from a list file, compiled, asked.
//!
//! `cargo bench --bench ranges`; a filter is a part of a name, such as `look_up::v4`.

use aclgate::policy::acl::{Action, IpAcl, IpAclBuilder, Place};
use aclgate::policy::list::{ListFormat, Sink, read_list};
use aclgate::policy::range::AddressRange;
use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const SIZES: [u32; 3] = [10, 10_000, 1_000_000];

/// So many clients are asked for in turn.
const CLIENTS: usize = 1 << 16;

fn main() {
    divan::main();
}

/// A generator of numbers that look random and are the same in each run (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            let other = usize::try_from(self.next() % (at as u64 + 1)).unwrap_or(0);
            items.swap(at, other);
        }
    }
}

/// An address of IPv4, or of 2000::/3, which all of today's IPv6 addresses are from.
fn address(bits: u64, v6: bool) -> IpAddr {
    if v6 {
        Ipv6Addr::from_bits((1_u128 << 125) + (u128::from(bits) << 61)).into()
    } else {
        Ipv4Addr::from_bits(u32::try_from(bits >> 32).unwrap_or(0)).into()
    }
}

/// Disjoint ranges, in order, that begin anywhere and reach half-way to the next.
fn disjoint(size: u32, v6: bool) -> Vec<AddressRange> {
    let mut numbers = Numbers(3);
    // One bit below, in IPv4, so that neighbours differ.
    let mut starts: Vec<u64> = (0..size).map(|_| numbers.next() >> 33 << 33).collect();
    starts.sort_unstable();
    starts.dedup();
    let ends = starts.iter().skip(1).copied().chain([u64::MAX]);
    let span = |(start, next): (&u64, u64)| {
        let (start, end) = (address(*start, v6), address(start + (next - start - 1) / 2, v6));
        AddressRange::new(start, end).unwrap_or_else(|_| AddressRange::from(start))
    };
    starts.iter().zip(ends).map(span).collect()
}

/// An address in the range, or right behind it.
fn client(range: &AddressRange, hit: bool) -> IpAddr {
    match range.end() {
        _ if hit => range.start(),
        IpAddr::V4(end) => Ipv4Addr::from_bits(end.to_bits().saturating_add(1)).into(),
        IpAddr::V6(end) => Ipv6Addr::from_bits(end.to_bits().saturating_add(1)).into(),
    }
}

/// Each inside the one before, or each crossing the one before, with actions in turn.
fn overlapping(size: u32, nested: bool) -> Vec<AddressRange> {
    let one = |at: u32| {
        let end = if nested { u32::MAX - at } else { u32::MAX / 2 + at };
        let start = IpAddr::from(Ipv4Addr::from_bits(at));
        AddressRange::new(start, Ipv4Addr::from_bits(end).into())
            .unwrap_or_else(|_| AddressRange::from(start))
    };
    (0..size).map(one).collect()
}

fn builder(ranges: &[AddressRange]) -> IpAclBuilder {
    let mut builder = IpAclBuilder::new(Uuid::nil(), "bench", Action::Allow);
    for (line, range) in (1..).zip(ranges) {
        let action = if line % 2 == 0 { Action::Allow } else { Action::Block };
        builder.push(*range, action, Place { file: 0, line });
    }
    builder
}

fn shuffled(mut ranges: Vec<AddressRange>) -> Vec<AddressRange> {
    Numbers(1).shuffle(&mut ranges);
    ranges
}

/// `a.b.c.d-e.f.g.h` lines.
fn list_text(ranges: &[AddressRange]) -> String {
    ranges.iter().fold(String::new(), |mut text, range| {
        let _ = writeln!(text, "{}-{}", range.start(), range.end());
        text
    })
}

fn read(text: &str) -> IpAclBuilder {
    let mut builder = IpAclBuilder::new(Uuid::nil(), "bench", Action::Allow);
    let sink = Sink { builder: &mut builder, action: Action::Block, file: 1 };
    let bad = read_list(text.as_bytes(), &ListFormat::Plain, sink);
    assert!(bad.is_empty());
    builder
}

#[divan::bench_group(max_time = 2)]
mod parse_list {
    use super::*;

    #[divan::bench(args = SIZES)]
    fn v4(bencher: Bencher<'_, '_>, size: u32) {
        let text = list_text(&shuffled(disjoint(size, false)));
        bencher.counter(ItemsCount::new(size)).bench(|| read(black_box(&text)));
    }

    #[divan::bench(args = SIZES)]
    fn v6(bencher: Bencher<'_, '_>, size: u32) {
        let text = list_text(&shuffled(disjoint(size, true)));
        bencher.counter(ItemsCount::new(size)).bench(|| read(black_box(&text)));
    }

    #[divan::bench(args = SIZES)]
    fn v4_and_compile(bencher: Bencher<'_, '_>, size: u32) {
        let text = list_text(&shuffled(disjoint(size, false)));
        bencher.counter(ItemsCount::new(size)).bench(|| read(black_box(&text)).build());
    }

    #[divan::bench(args = SIZES)]
    fn v4_sorted_and_compile(bencher: Bencher<'_, '_>, size: u32) {
        let text = list_text(&disjoint(size, false));
        bencher.counter(ItemsCount::new(size)).bench(|| read(black_box(&text)).build());
    }
}

#[divan::bench_group(max_time = 2)]
mod compile {
    use super::*;

    fn run(bencher: Bencher<'_, '_>, ranges: &[AddressRange]) {
        let builder = builder(ranges);
        let count = ItemsCount::new(ranges.len());
        bencher.counter(count).with_inputs(|| builder.clone()).bench_values(IpAclBuilder::build);
    }

    #[divan::bench(args = SIZES)]
    fn v4_disjoint(bencher: Bencher<'_, '_>, size: u32) {
        run(bencher, &shuffled(disjoint(size, false)));
    }

    #[divan::bench(args = SIZES)]
    fn v4_nested(bencher: Bencher<'_, '_>, size: u32) {
        run(bencher, &shuffled(overlapping(size, true)));
    }

    #[divan::bench(args = SIZES)]
    fn v4_crossing(bencher: Bencher<'_, '_>, size: u32) {
        run(bencher, &shuffled(overlapping(size, false)));
    }

    #[divan::bench(args = SIZES)]
    fn v6_disjoint(bencher: Bencher<'_, '_>, size: u32) {
        run(bencher, &shuffled(disjoint(size, true)));
    }
}

#[divan::bench_group(max_time = 2)]
mod crossings {
    use super::*;

    #[divan::bench(args = SIZES)]
    fn first_hundred_of_nested(bencher: Bencher<'_, '_>, size: u32) {
        let acl = builder(&overlapping(size, true)).build();
        bencher.bench(|| acl.crossings(100));
    }
}

/// Times are for [`CLIENTS`] look-ups together; the items a second are look-ups.
#[divan::bench_group(max_time = 1)]
mod look_up {
    use super::*;

    fn run(bencher: Bencher<'_, '_>, acl: &IpAcl, clients: &[IpAddr]) {
        let test = |client: &IpAddr| usize::from(acl.test(Some(*client)).action == Action::Block);
        bencher
            .counter(ItemsCount::new(clients.len()))
            .bench(|| black_box(clients).iter().map(test).sum::<usize>());
    }

    /// Clients of ranges in order, or all over the place.
    fn clients(ranges: &[AddressRange], hit: bool, random: bool) -> Vec<IpAddr> {
        let mut numbers = Numbers(2);
        let mut ranges = ranges.to_vec();
        if random {
            numbers.shuffle(&mut ranges);
        }
        ranges.iter().map(|range| client(range, hit)).cycle().take(CLIENTS).collect()
    }

    macro_rules! look_up {
        ($name:ident, $v6:literal, $hit:literal, $random:literal) => {
            #[divan::bench(args = SIZES)]
            fn $name(bencher: Bencher<'_, '_>, size: u32) {
                let ranges = disjoint(size, $v6);
                run(bencher, &builder(&ranges).build(), &clients(&ranges, $hit, $random));
            }
        };
    }

    look_up!(v4_hit_random, false, true, true);
    look_up!(v4_hit_sequential, false, true, false);
    look_up!(v4_miss_random, false, false, true);
    look_up!(v4_miss_sequential, false, false, false);
    look_up!(v6_hit_random, true, true, true);
    look_up!(v6_hit_sequential, true, true, false);
    look_up!(v6_miss_random, true, false, true);
    look_up!(v6_miss_sequential, true, false, false);

    #[divan::bench(args = SIZES)]
    fn v4_nested_random(bencher: Bencher<'_, '_>, size: u32) {
        let ranges = overlapping(size, true);
        run(bencher, &builder(&ranges).build(), &clients(&ranges, true, true));
    }
}
