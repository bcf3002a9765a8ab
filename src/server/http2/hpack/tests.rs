//! Encoder against decoder, the decoder against the examples of RFC 7541 and a table as its text has it.

use super::huffman::tests::encode as huffman;
use super::table::STATIC;
use super::*;
use proptest::prelude::*;

type Lines = Vec<(Vec<u8>, Vec<u8>, bool)>;

fn decoded(decoder: &mut Decoder, block: &[u8]) -> Result<Lines, Broken> {
    let mut lines = Vec::new();
    let each = |line: Line<'_>| lines.push((line.name.to_vec(), line.value.to_vec(), line.sensitive));
    decoder.decode(block, &mut Room::default(), each).map(|()| lines)
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

#[test]
fn requests_of_the_rfc() {
    // RFC 7541 §C.3 and C.4: three requests on one connection, without and with Huffman coding.
    let plain = [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ];
    let coded = [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ];
    for blocks in [plain, coded] {
        let mut decoder = Decoder::default();
        let lines = blocks.map(|block| decoded(&mut decoder, &bytes(block)).unwrap());
        let shown = lines.map(|lines| {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            lines.iter().map(|(name, value, _)| text(name) + "=" + &text(value)).collect::<Vec<_>>().join(" ")
        });
        assert_eq!(
            shown,
            [
                ":method=GET :scheme=http :path=/ :authority=www.example.com",
                ":method=GET :scheme=http :path=/ :authority=www.example.com cache-control=no-cache",
                ":method=GET :scheme=https :path=/index.html :authority=www.example.com custom-key=custom-value",
            ]
        );
    }
}

#[test]
fn blocks_that_are_none() {
    let cases = [
        "80",                // index 0
        "be",                // an entry that is not there
        "ff 80 80 80 80 01", // a number without end
        "7e 00",             // a name that is not there
        "40",                // no name
        "00 01 61",          // no value
        "00 02 61",          // a name that is cut off
        "00 01 61 7f ff ff 7f",
        "82 20",          // a size behind a line
        "3f e2 1f",       // a table of 4097 bytes
        "00 81 00 01 61", // Huffman padding of zeros
    ];
    for block in cases {
        assert!(decoded(&mut Decoder::default(), &bytes(block)).is_err(), "{block}");
    }
    assert!(
        decoded(&mut Decoder::default(), &bytes("20 3f e1 1f 82")).is_ok(),
        "two sizes, the last of 4096 bytes"
    );
}

#[test]
fn a_large_entry_empties_the_table_and_a_name_of_it_may_be_used_again() {
    let mut decoder = Decoder::default();
    assert!(decoded(&mut decoder, &bytes("40 01 61 01 62")).is_ok());
    assert_eq!(decoded(&mut decoder, &bytes("be")).unwrap(), [(b"a".to_vec(), b"b".to_vec(), false)]);
    // The name of the entry, and a value that leaves no room for any.
    let large = [&bytes("7e 7f 81 1f")[..], &[b'x'; 4096]].concat();
    assert_eq!(decoded(&mut decoder, &large).unwrap()[0].0, b"a");
    assert!(decoded(&mut decoder, &bytes("be")).is_err());
}

#[test]
fn responses_are_short_where_the_static_table_knows_them() {
    let mut block = Vec::new();
    no_table(&mut block);
    status(&mut block, "200");
    status(&mut block, "418");
    line(&mut block, b"content-type", b"a/b");
    line(&mut block, b"set-cookie", b"a=b");
    assert_eq!(block, bytes("20 88 08 03 34 31 38 0f 10 03 61 2f 62 1f 28 03 61 3d 62"));
}

#[test]
fn names_have_the_index_of_the_static_table() {
    for (name, _) in STATIC.iter().filter(|(name, _)| !name.starts_with(b":")) {
        let mut block = Vec::new();
        line(&mut block, name, b"v");
        let lines = decoded(&mut Decoder::default(), &block).unwrap();
        assert_eq!(lines, [(name.to_vec(), b"v".to_vec(), *name == b"set-cookie")]);
    }
}

/// A way to write a line.
#[derive(Clone, Debug)]
struct Written {
    name: String,
    value: Vec<u8>,
    coded: bool,
    kind: u8,
}

fn written() -> impl Strategy<Value = Written> {
    let value =
        prop_oneof![prop::collection::vec(any::<u8>(), 0..40), prop::collection::vec(any::<u8>(), 500..3000)];
    ("[a-c]|content-type|:path", value, any::<bool>(), 0..4_u8)
        .prop_map(|(name, value, coded, kind)| Written { name, value, coded, kind })
}

/// The dynamic table as §2.3.2 and §4 describe it.
#[derive(Default)]
struct Twin(Vec<(Vec<u8>, Vec<u8>)>);

impl Twin {
    fn insert(&mut self, name: &[u8], value: &[u8]) {
        self.0.insert(0, (name.to_vec(), value.to_vec()));
        while self.0.iter().map(|(name, value)| name.len() + value.len() + 32).sum::<usize>() > 4096 {
            self.0.pop();
        }
    }

    fn write(&mut self, block: &mut Vec<u8>, written: &Written) {
        let Written { name, value, coded, kind } = written;
        let known =
            STATIC.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).chain(self.0.iter().cloned());
        let known: Vec<_> = known.collect();
        if let Some(place) = known.iter().position(|(a, b)| a == name.as_bytes() && b == value) {
            return number(block, 0x80, 7, place + 1);
        }
        let (high, bits) = [(0x40, 6), (0, 4), (0x10, 4), (0x40, 6)][usize::from(*kind)];
        let place = known.iter().position(|(a, _)| a == name.as_bytes()).filter(|_| *kind != 3);
        number(block, high, bits, place.map_or(0, |place| place + 1));
        let texts = if place.is_some() { vec![value.as_slice()] } else { vec![name.as_bytes(), value] };
        for text in texts {
            let text = if *coded { huffman(text) } else { text.to_vec() };
            number(block, if *coded { 0x80 } else { 0 }, 7, text.len());
            block.extend(text);
        }
        if high == 0x40 {
            self.insert(name.as_bytes(), value);
        }
    }
}

fn number(block: &mut Vec<u8>, high: u8, bits: u32, number: usize) {
    let most = (1_usize << bits) - 1;
    if number < most {
        return block.push(high | u8::try_from(number).unwrap());
    }
    block.push(high | u8::try_from(most).unwrap());
    let mut rest = number - most;
    while rest >= 128 {
        block.push(u8::try_from(rest % 128).unwrap() | 0x80);
        rest /= 128;
    }
    block.push(u8::try_from(rest).unwrap());
}

proptest! {
    #[test]
    fn lines_are_read_as_they_were_written(blocks in prop::collection::vec(prop::collection::vec(written(), 0..9), 1..6)) {
        let (mut decoder, mut twin) = (Decoder::default(), Twin::default());
        for lines in blocks {
            let mut block = Vec::new();
            lines.iter().for_each(|line| twin.write(&mut block, line));
            let read = decoded(&mut decoder, &block).unwrap();
            prop_assert_eq!(read.len(), lines.len());
            for ((name, value, _), line) in read.iter().zip(&lines) {
                prop_assert_eq!((name.as_slice(), value), (line.name.as_bytes(), &line.value));
            }
        }
    }

    #[test]
    fn ours_are_read_as_they_were_written(lines in prop::collection::vec(("[a-z-]{1,20}|server|date", ".{0,300}"), 0..9)) {
        let mut block = Vec::new();
        for (name, value) in &lines {
            line(&mut block, name.as_bytes(), value.as_bytes());
        }
        let read = decoded(&mut Decoder::default(), &block).unwrap();
        let expected: Vec<_> =
            lines.iter().map(|(name, value)| (name.clone().into_bytes(), value.clone().into_bytes())).collect();
        prop_assert_eq!(read.into_iter().map(|(name, value, _)| (name, value)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn no_bytes_make_it_panic(blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..4)) {
        let mut decoder = Decoder::default();
        for block in blocks {
            drop(decoded(&mut decoder, &block));
        }
    }
}
