//! Characters that some upstream turns into ASCII: character → [`Ascii`].
//!
//! Two tables instead of a normalisation crate, since only ASCII results matter here: prefixes are ASCII. Made
//! from Unicode 15's NFKC with case folding (UAX #15, so `ſ` is `s`, the Kelvin sign `k`), letters also without
//! their accents (`ö` is `o`, as best-fit mappings of Windows code pages have it), and characters that NFKC drops.
//! Squared words are in it, numbers in brackets are not.

/// What a character becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ascii {
    /// One character.
    One(u8),
    /// None, or several.
    Several(&'static str),
}

/// As NFKC folds it, accents dropped; `None` where it stays.
pub(super) fn nfkc(character: char) -> Option<Ascii> {
    if LOOK_ALIKES.contains(&character) { None } else { best_fit(character) }
}

/// As NFKC folds it, or as best-fit mappings replace what looks like a slash, backslash or dot.
pub(super) fn best_fit(character: char) -> Option<Ascii> {
    let code = u32::from(character);
    match code {
        0xad
        | 0x34f
        | 0x61c
        | 0x180e
        | 0x200b..=0x200f
        | 0x202a..=0x202e
        | 0x2060..=0x2064
        | 0xfe00..=0xfe0f
        | 0xfeff => {
            return Some(Ascii::Several(""));
        }
        // Mathematical letters: 13 alphabets in a row. A few places in them are empty.
        0x1d400..=0x1d6a3 => {
            return ASCII_LETTERS.get(((code - 0x1d400) % 26) as usize).copied().map(Ascii::One);
        }
        0x1d7ce..=0x1d7ff => {
            return b"0123456789".get(((code - 0x1d7ce) % 10) as usize).copied().map(Ascii::One);
        }
        _ => {}
    }
    let after = BLOCKS.partition_point(|(start, _)| *start <= code);
    let (start, letters) = BLOCKS.get(after.checked_sub(1)?)?;
    let one = letters.as_bytes().get((code - start) as usize).copied().filter(|&letter| letter != b'*');
    one.map(Ascii::One).or_else(|| several(character))
}

fn several(character: char) -> Option<Ascii> {
    let at = WORDS.binary_search_by_key(&character, |(key, _)| *key).ok()?;
    WORDS.get(at).map(|(_, word)| Ascii::Several(word))
}

const ASCII_LETTERS: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";

/// Not folded by NFKC.
const LOOK_ALIKES: [char; 9] = [
    '\u{2044}', '\u{2215}', '\u{29f8}', '\u{2571}', '\u{2216}', '\u{29f5}', '\u{29f9}', '\u{3002}',
    '\u{ff61}',
];

/// Runs of characters that become one ASCII character each; `*` marks those that do not.
static BLOCKS: &[(u32, &str)] = &[
    (
        0x00aa,
        "a*******23*****1o*****aaaaaa*ceeeeiiiidnooooo*ouuuuy**aaaaaa*ceeeeiiiidnooooo*ouuuuy*yaaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii**jjkk*llllll**llnnnnnn***oooooo**rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs",
    ),
    (0x01a0, "oo"),
    (0x01af, "uu"),
    (
        0x01cd,
        "aaiioouuuuuuuuuueaaaa****ggkkoooo**j***gg**nnaa****aaaaeeeeiiiioooorrrruuuusstt**hh******aaeeooooooooyy",
    ),
    (0x0261, "g"),
    (0x02b0, "h*jr***wy"),
    (0x02e1, "lsx"),
    (0x037e, ";"),
    (0x1d2c, "a*b*de*ghijklmn*o*prtuwa***bde***g*km*o***ptu**v******iruv"),
    (0x1d9c, "c***f"),
    (0x1dbb, "z"),
    (
        0x1e00,
        "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwy*s****aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy",
    ),
    (0x1fef, "`"),
    (0x2010, "------"),
    (0x2024, "."),
    (0x2044, "/"),
    (0x2070, "0i**456789+*=()n0123456789+*=()*aeox*hklmnpst"),
    (0x2102, "c*******ghhhh*iill*n***pqrrr******z***z*kabc*eef*mo****i"),
    (0x2145, "ddeij"),
    (0x2160, "i***v****x**lcdmi***v****x**lcdm"),
    (0x2212, "-**/\\"),
    (0x2260, "="),
    (0x226e, "<>"),
    (0x2460, "123456789"),
    (0x24b6, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0"),
    (0x2571, "/"),
    (0x29f5, "\\**/\\"),
    (0x2c7c, "jv"),
    (0x3002, "."),
    (0xa7f2, "cfq"),
    (0xfb29, "+"),
    (0xfe33, "__(){}"),
    (0xfe47, "[]****___,*.*;:?!*(){}**#&*+-<>=*\\$%@"),
    (
        0xff01,
        "!\"#$%&'()*+,-./0123456789:;<=>?@abcdefghijklmnopqrstuvwxyz[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~**.",
    ),
    (0x107a5, "q"),
    (0x1f12b, "cr***abcdefghijklmnopqrstuvwxyz"),
    (0x1fbf0, "0123456789"),
];

/// Characters that become several.
static WORDS: &[(char, &str)] = &[
    ('\u{df}', "ss"),
    ('\u{132}', "ij"),
    ('\u{133}', "ij"),
    ('\u{1c4}', "dz"),
    ('\u{1c5}', "dz"),
    ('\u{1c6}', "dz"),
    ('\u{1c7}', "lj"),
    ('\u{1c8}', "lj"),
    ('\u{1c9}', "lj"),
    ('\u{1ca}', "nj"),
    ('\u{1cb}', "nj"),
    ('\u{1cc}', "nj"),
    ('\u{1f1}', "dz"),
    ('\u{1f2}', "dz"),
    ('\u{1f3}', "dz"),
    ('\u{1e9e}', "ss"),
    ('\u{2025}', ".."),
    ('\u{2026}', "..."),
    ('\u{2047}', "??"),
    ('\u{20a8}', "rs"),
    ('\u{2100}', "a/c"),
    ('\u{2101}', "a/s"),
    ('\u{2105}', "c/o"),
    ('\u{2106}', "c/u"),
    ('\u{2116}', "no"),
    ('\u{2120}', "sm"),
    ('\u{2121}', "tel"),
    ('\u{2122}', "tm"),
    ('\u{213b}', "fax"),
    ('\u{2161}', "ii"),
    ('\u{2162}', "iii"),
    ('\u{2163}', "iv"),
    ('\u{2165}', "vi"),
    ('\u{2166}', "vii"),
    ('\u{2167}', "viii"),
    ('\u{2168}', "ix"),
    ('\u{216a}', "xi"),
    ('\u{216b}', "xii"),
    ('\u{2171}', "ii"),
    ('\u{2172}', "iii"),
    ('\u{2173}', "iv"),
    ('\u{2175}', "vi"),
    ('\u{2176}', "vii"),
    ('\u{2177}', "viii"),
    ('\u{2178}', "ix"),
    ('\u{217a}', "xi"),
    ('\u{217b}', "xii"),
    ('\u{3250}', "pte"),
    ('\u{32cc}', "hg"),
    ('\u{32cd}', "erg"),
    ('\u{32ce}', "ev"),
    ('\u{32cf}', "ltd"),
    ('\u{3371}', "hpa"),
    ('\u{3372}', "da"),
    ('\u{3373}', "au"),
    ('\u{3374}', "bar"),
    ('\u{3375}', "ov"),
    ('\u{3376}', "pc"),
    ('\u{3377}', "dm"),
    ('\u{337a}', "iu"),
    ('\u{3380}', "pa"),
    ('\u{3381}', "na"),
    ('\u{3383}', "ma"),
    ('\u{3384}', "ka"),
    ('\u{3385}', "kb"),
    ('\u{3386}', "mb"),
    ('\u{3387}', "gb"),
    ('\u{3388}', "cal"),
    ('\u{3389}', "kcal"),
    ('\u{338a}', "pf"),
    ('\u{338b}', "nf"),
    ('\u{338e}', "mg"),
    ('\u{338f}', "kg"),
    ('\u{3390}', "hz"),
    ('\u{3391}', "khz"),
    ('\u{3392}', "mhz"),
    ('\u{3393}', "ghz"),
    ('\u{3394}', "thz"),
    ('\u{3396}', "ml"),
    ('\u{3397}', "dl"),
    ('\u{3398}', "kl"),
    ('\u{3399}', "fm"),
    ('\u{339a}', "nm"),
    ('\u{339c}', "mm"),
    ('\u{339d}', "cm"),
    ('\u{339e}', "km"),
    ('\u{33a9}', "pa"),
    ('\u{33aa}', "kpa"),
    ('\u{33ab}', "mpa"),
    ('\u{33ac}', "gpa"),
    ('\u{33ad}', "rad"),
    ('\u{33b0}', "ps"),
    ('\u{33b1}', "ns"),
    ('\u{33b3}', "ms"),
    ('\u{33b4}', "pv"),
    ('\u{33b5}', "nv"),
    ('\u{33b7}', "mv"),
    ('\u{33b8}', "kv"),
    ('\u{33b9}', "mv"),
    ('\u{33ba}', "pw"),
    ('\u{33bb}', "nw"),
    ('\u{33bd}', "mw"),
    ('\u{33be}', "kw"),
    ('\u{33bf}', "mw"),
    ('\u{33c3}', "bq"),
    ('\u{33c4}', "cc"),
    ('\u{33c5}', "cd"),
    ('\u{33c8}', "db"),
    ('\u{33c9}', "gy"),
    ('\u{33ca}', "ha"),
    ('\u{33cb}', "hp"),
    ('\u{33cc}', "in"),
    ('\u{33cd}', "kk"),
    ('\u{33ce}', "km"),
    ('\u{33cf}', "kt"),
    ('\u{33d0}', "lm"),
    ('\u{33d1}', "ln"),
    ('\u{33d2}', "log"),
    ('\u{33d3}', "lx"),
    ('\u{33d4}', "mb"),
    ('\u{33d5}', "mil"),
    ('\u{33d6}', "mol"),
    ('\u{33d7}', "ph"),
    ('\u{33d9}', "ppm"),
    ('\u{33da}', "pr"),
    ('\u{33db}', "sr"),
    ('\u{33dc}', "sv"),
    ('\u{33dd}', "wb"),
    ('\u{33ff}', "gal"),
    ('\u{fb00}', "ff"),
    ('\u{fb01}', "fi"),
    ('\u{fb02}', "fl"),
    ('\u{fb03}', "ffi"),
    ('\u{fb04}', "ffl"),
    ('\u{fb05}', "st"),
    ('\u{fb06}', "st"),
    ('\u{fe19}', "..."),
    ('\u{fe30}', ".."),
    ('\u{1f12d}', "cd"),
    ('\u{1f12e}', "wz"),
    ('\u{1f14a}', "hv"),
    ('\u{1f14b}', "mv"),
    ('\u{1f14c}', "sd"),
    ('\u{1f14d}', "ss"),
    ('\u{1f14e}', "ppv"),
    ('\u{1f14f}', "wc"),
    ('\u{1f16a}', "mc"),
    ('\u{1f16b}', "md"),
    ('\u{1f16c}', "mr"),
    ('\u{1f190}', "dj"),
];
