//! Strings of header blocks that are Huffman-coded (RFC 7541 §5.2) → their bytes.
//!
//! The code of Appendix B is canonical: codes of one length follow each other in the order of their symbols, and every
//! code begins where the shorter ones end. So the lengths say all of it, and the tables are made from them. Codes of up to
//! eight bits, which is what nearly all text is made of, are looked up at once.

/// The bits of each symbol's code (RFC 7541, Appendix B); the last is that of the end of a string.
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28,
    28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6,
    6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7,
    8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7,
    15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24,
    23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23,
    23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26,
    26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20,
    21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27,
    27, 27, 26, 30,
];
const END: u16 = 256;
const LONGEST: usize = 30;

/// What the lengths say.
struct Code {
    /// For each eight bits that begin with a short code: its symbol and length, else length 0.
    short: [(u8, u8); 256],
    /// Symbols in the order of their codes.
    symbols: [u16; 257],
    /// For each length, the first code of that length, how many there are, and where their symbols stand.
    first: [u32; LONGEST + 1],
    count: [u32; LONGEST + 1],
    place: [u32; LONGEST + 1],
}

const CODE: Code = code();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated at compile time, within the tables"
)]
const fn code() -> Code {
    let mut code = Code {
        short: [(0, 0); 256],
        symbols: [0; 257],
        first: [0; LONGEST + 1],
        count: [0; LONGEST + 1],
        place: [0; LONGEST + 1],
    };
    let (mut next, mut placed, mut length) = (0_u32, 0, 1);
    while length <= LONGEST {
        code.first[length] = next;
        code.place[length] = placed as u32;
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as usize == length {
                code.symbols[placed] = symbol as u16;
                placed += 1;
                let mut tail = 0;
                while length <= 8 && tail < 1 << (8 - length) {
                    code.short[((next as usize) << (8 - length)) | tail] = (symbol as u8, length as u8);
                    tail += 1;
                }
                next += 1;
            }
            symbol += 1;
        }
        code.count[length] = next - code.first[length];
        next <<= 1;
        length += 1;
    }
    code
}

/// Adds the bytes of a coded string. Linear.
///
/// `None`: it holds the end of a string, or is padded with anything but the first bits of that, seven at most.
pub(super) fn decode(coded: &[u8], text: &mut Vec<u8>) -> Option<()> {
    let mut rest = coded.iter();
    // The next bits, the first of them highest, and ones behind them.
    let (mut bits, mut held) = (u64::MAX, 0_u32);
    loop {
        while held <= 56
            && let Some(byte) = rest.next()
        {
            let ones = u64::MAX >> 8 >> held;
            bits = (bits & !(u64::MAX >> held)) | u64::from(*byte) << (56 - held) | ones;
            held += 8;
        }
        let (symbol, length) = next(bits);
        if length > held {
            return (held < 8 && bits == u64::MAX).then_some(());
        }
        text.push(u8::try_from(symbol).ok()?);
        bits = bits << length | ((1 << length) - 1);
        held -= length;
    }
}

/// The symbol whose code comes next, and the length of that.
fn next(bits: u64) -> (u16, u32) {
    if let Some(&(symbol, length @ 1..)) = CODE.short.get((bits >> 56) as usize) {
        return (symbol.into(), length.into());
    }
    let lengths = CODE.first.iter().zip(&CODE.count).zip(&CODE.place).zip(0_u32..).skip(9);
    for (((first, count), place), length) in lengths {
        // A code has at most 30 bits.
        let code = u32::try_from(bits >> (64 - length)).unwrap_or(u32::MAX);
        let behind = code.wrapping_sub(*first);
        if behind < *count
            && let Some(symbol) = CODE.symbols.get((place + behind) as usize)
        {
            return (*symbol, length);
        }
    }
    (END, 30)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As RFC 7541 has it: code by code, and ones up to the next byte.
    pub(in super::super) fn encode(text: &[u8]) -> Vec<u8> {
        let mut bits = String::new();
        for &byte in text {
            let length = usize::from(LENGTHS[usize::from(byte)]);
            let shorter = |other: &&u16| LENGTHS[usize::from(**other)] == LENGTHS[usize::from(byte)];
            let behind = CODE.symbols.iter().filter(shorter).position(|other| *other == u16::from(byte));
            let code = CODE.first[length] + u32::try_from(behind.unwrap()).unwrap();
            bits += &format!("{code:0length$b}");
        }
        while !bits.len().is_multiple_of(8) {
            bits.push('1');
        }
        let byte = |bits: &[u8]| u8::from_str_radix(std::str::from_utf8(bits).unwrap(), 2).unwrap();
        bits.as_bytes().chunks(8).map(byte).collect()
    }

    fn decoded(coded: &[u8]) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        decode(coded, &mut text).map(|()| text)
    }

    #[test]
    fn examples_of_the_rfc() {
        // RFC 7541 §C.4 and C.6.
        let cases = [
            ("www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"),
            ("no-cache", "a8eb10649cbf"),
            ("custom-value", "25a849e95bb8e8b4bf"),
            ("302", "6402"),
            ("Mon, 21 Oct 2013 20:13:21 GMT", "d07abe941054d444a8200595040b8166e082a62d1bff"),
        ];
        for (text, coded) in cases {
            let hex: String = encode(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, coded, "{text}");
            assert_eq!(decoded(&encode(text.as_bytes())).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn padding_is_ones_and_short() {
        assert_eq!(decoded(b""), Some(Vec::new()));
        assert_eq!(decoded(&[0b0001_1111]), Some(b"a".to_vec()));
        // `a` is 00011: then zeros, a byte too many, the end of a string, and nothing but padding.
        for coded in [&[0b0001_1000][..], &[0b0001_1111, 0xff], &[0xff; 4], &[0xff], &[0b0001_1110]] {
            assert_eq!(decoded(coded), None, "{coded:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_coded_is_decoded(text: Vec<u8>) {
            prop_assert_eq!(decoded(&encode(&text)), Some(text));
        }

        #[test]
        fn what_is_decoded_is_coded_so(coded: Vec<u8>) {
            if let Some(text) = decoded(&coded) {
                prop_assert_eq!(encode(&text), coded);
            }
        }
    }
}
