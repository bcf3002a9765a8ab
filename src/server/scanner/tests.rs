//! What the scanner lets through and what it refuses, and that it does not matter how the bytes arrive.

use super::{Head, Phase, Piece, Scanner};
use crate::config::Limits;
use crate::request::RequestError;
use proptest::prelude::*;

const LIMITS: Limits =
    Limits { head: 256, fields: 5, target: 40, connections: 1, h2_streams: 1, h2_header_list: 1 };

/// How a run over some bytes ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Continue,
    /// A head is refused.
    Refused(RequestError),
    /// The framing of a body is refused.
    Broken(RequestError),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Scan {
    /// So many bytes belong to what was found to be strict.
    safe: usize,
    verdict: Verdict,
}

/// A scanner and the heads that it has found.
struct Run {
    scanner: Scanner,
    heads: u64,
}

impl Run {
    fn new() -> Self {
        Self { scanner: Scanner::new(LIMITS), heads: 0 }
    }

    fn scan(&mut self, bytes: &[u8]) -> Scan {
        let (mut safe, mut at) = (0, 0);
        while at < bytes.len() {
            let (in_body, mut ends_whole) = (self.scanner.phase() == Phase::Body, false);
            let outcome = if in_body {
                self.scanner.body(&bytes[at..]).map(|piece| match piece {
                    Piece::Data(taken) | Piece::Framing(taken) | Piece::Trailers(taken) => taken,
                })
            } else {
                self.scanner.head(&bytes[at..]).map(|head| match head {
                    Head::Partial => bytes.len() - at,
                    Head::Whole(taken) => {
                        (self.heads, ends_whole) = (self.heads + 1, true);
                        taken
                    }
                })
            };
            match outcome {
                Ok(taken) => at += taken,
                Err(error) if in_body => return Scan { safe, verdict: Verdict::Broken(error) },
                Err(error) => return Scan { safe, verdict: Verdict::Refused(error) },
            }
            // A partial head, or an empty line before it, is not safe yet.
            if in_body || ends_whole {
                safe = at;
            }
        }
        Scan { safe, verdict: Verdict::Continue }
    }
}

fn scan(bytes: &[u8]) -> (Scan, Run) {
    let mut run = Run::new();
    (run.scan(bytes), run)
}

/// Everything that one pass finds strict, and how it ends, fed in pieces that end at `cuts`.
fn in_pieces(bytes: &[u8], cuts: &[usize]) -> (Vec<u8>, Verdict, u64) {
    let mut run = Run::new();
    let (mut out, mut held, mut at) = (Vec::new(), Vec::new(), 0);
    let mut verdict = Verdict::Continue;
    for &cut in cuts.iter().chain([&bytes.len()]) {
        let piece = &bytes[at..cut.clamp(at, bytes.len())];
        at += piece.len();
        let scan = run.scan(piece);
        if scan.safe > 0 {
            out.append(&mut held);
        }
        out.extend_from_slice(&piece[..scan.safe]);
        held.extend_from_slice(&piece[scan.safe..]);
        verdict = scan.verdict;
        if verdict != Verdict::Continue {
            break;
        }
    }
    (out, verdict, run.heads)
}

const PASSING: &[(&str, u64)] = &[
    ("GET / HTTP/1.1\r\n\r\n", 1),
    ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 1),
    ("GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /b HTTP/1.0\r\n\r\n", 2),
    ("OPTIONS * HTTP/1.1\r\nA:\r\nB: \t x y \t\r\n\r\n", 1),
    ("GET hTTp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 1),
    ("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\n\r\n", 2),
    ("POST / HTTP/1.1\r\ncontent-LENGTH:0 \r\n\r\nGET / HTTP/1.1\r\n\r\n", 2),
    ("POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\na\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n", 2),
    ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0000000A\r\n0123456789\r\n0\r\nSum: a\r\n\r\n", 1),
    ("GET / HTTP/1.1\r\nA: \u{e9}\r\n\r\n", 1),
];

#[test]
fn what_is_strict_passes_whole() {
    for (text, heads) in PASSING {
        let (scan, run) = scan(text.as_bytes());
        assert_eq!((scan.verdict, scan.safe), (Verdict::Continue, text.len()), "{text:?}");
        assert_eq!((run.heads, run.scanner.phase()), (*heads, Phase::Between), "{text:?}");
    }
}

/// Text, and a word of the reason.
const MALFORMED: &[(&[u8], &str)] = &[
    (b"GET / HTTP/1.1\n\n", "version"),
    (b"GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", "bare LF"),
    (b"GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n", "bare CR"),
    (b"GET / HTTP/1.1\r\nA: b\r\r\n\r\n", "bare CR"),
    (b"GET / HTTP/1.1\r\nA: b\r\n\n", "bare LF"),
    (b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "folded"),
    (b"GET / HTTP/1.1\r\n A: b\r\n\r\n", "folded"),
    (b"GET / HTTP/1.1\r\n\tA: b\r\n\r\n", "folded"),
    (b"GET / HTTP/1.1\r\nA : b\r\n\r\n", "blank"),
    (b"GET / HTTP/1.1\r\n: b\r\n\r\n", "empty header name"),
    (b"GET / HTTP/1.1\r\nA\r\n\r\n", "header name"),
    (b"GET / HTTP/1.1\r\nA\0: b\r\n\r\n", "header name"),
    (b"GET / HTTP/1.1\r\nA\xe9: b\r\n\r\n", "header name"),
    (b"GET / HTTP/1.1\r\nA(: b\r\n\r\n", "header name"),
    (b"GET / HTTP/1.1\r\nA: b\0\r\n\r\n", "control"),
    (b"GET / HTTP/1.1\r\nA: b\x0b\r\n\r\n", "control"),
    (b"GET / HTTP/1.1\r\nA: b\x7f\r\n\r\n", "control"),
    (b"G@T / HTTP/1.1\r\n\r\n", "method"),
    (b" GET / HTTP/1.1\r\n\r\n", "method"),
    (b"GET\t/ HTTP/1.1\r\n\r\n", "method"),
    (b"\x16\x03\x01\x02\x00\x01", "method"),
    (b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n\r\n", "method"),
    (b"GET  / HTTP/1.1\r\n\r\n", "target"),
    (b"GET / / HTTP/1.1\r\n\r\n", "version"),
    (b"GET /  HTTP/1.1\r\n\r\n", "version"),
    (b"GET /\tHTTP/1.1\r\n\r\n", "target"),
    (b"GET / HTTP/1.1 \r\n\r\n", "version"),
    (b"GET /\r\n\r\n", "target"),
    (b"GET /a#b HTTP/1.1\r\n\r\n", "fragment"),
    (b"GET /\x01 HTTP/1.1\r\n\r\n", "target"),
    (b"GET /\x7f HTTP/1.1\r\n\r\n", "target"),
    (b"GET /\xc3\xa9 HTTP/1.1\r\n\r\n", "target"),
    (b"GET a HTTP/1.1\r\n\r\n", "form"),
    (b"GET * HTTP/1.1\r\n\r\n", "form"),
    (b"GET ftp://a/ HTTP/1.1\r\n\r\n", "form"),
    (b"GET / HTTP/1.2\r\n\r\n", "version"),
    (b"GET / HTTP/0.9\r\n\r\n", "version"),
    (b"GET / HTTP/2.0\r\n\r\n", "version"),
    (b"GET / http/1.1\r\n\r\n", "version"),
    (b"GET / HTTP/1.10\r\n\r\n", "version"),
    (b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", "empty line"),
    (b"\nGET / HTTP/1.1\r\n\r\n", "bare LF"),
    (b"\r GET / HTTP/1.1\r\n\r\n", "bare CR"),
    (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "both"),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", "both"),
    (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", "twice"),
    (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "twice"),
    (b"POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\n", "content-length"),
    (b"POST / HTTP/1.1\r\nContent-Length: 5 5\r\n\r\n", "blank"),
    (b"POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\n", "content-length"),
    (b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", "content-length"),
    (b"POST / HTTP/1.1\r\nContent-Length: 0x5\r\n\r\n", "content-length"),
    (b"POST / HTTP/1.1\r\nContent-Length: 05\r\n\r\n", "content-length"),
    (b"POST / HTTP/1.1\r\nContent-Length: 5.0\r\n\r\n", "content-length"),
    (b"POST / HTTP/1.1\r\nContent-Length:\r\n\r\n", "empty"),
    (b"POST / HTTP/1.1\r\nContent-Length: 1234567890123456789\r\n\r\n", "content-length"),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n", "transfer"),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "transfer"),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", "transfer"),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked;q=1\r\n\r\n", "transfer"),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: \"chunked\"\r\n\r\n", "transfer"),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunke\r\n\r\n", "transfer"),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunkedd\r\n\r\n", "transfer"),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding:\r\n\r\n", "transfer"),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: \x0bchunked\r\n\r\n", "transfer"),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "twice"),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n", "twice"),
    (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.0"),
];

#[test]
fn what_two_parsers_could_read_in_two_ways_is_refused() {
    for (bytes, word) in MALFORMED {
        let (scan, _) = scan(bytes);
        let Verdict::Refused(RequestError::Malformed(reason)) = scan.verdict else {
            panic!("{:?} gave {scan:?}", bytes.escape_ascii().to_string());
        };
        assert!(reason.contains(word), "{:?}: {reason}", bytes.escape_ascii().to_string());
        assert!(scan.safe <= 2, "nothing but an empty line may be handed on: {scan:?}");
    }
}

#[test]
fn chunks_and_trailers_are_strict() {
    let cases: &[(&str, &str)] = &[
        ("\r\n", "chunk size"),
        ("g\r\n", "chunk size"),
        ("-1\r\n", "chunk size"),
        ("0x5\r\n", "chunk size"),
        (" 5\r\nhello\r\n", "chunk size"),
        ("5 \r\nhello\r\n", "chunk size"),
        ("5;a=b\r\nhello\r\n", "chunk extension"),
        ("5\nhello\r\n", "chunk size"),
        ("5\r\nhello\n", "chunk end"),
        ("5\r\nhello5\r\n", "chunk end"),
        ("5\rhello", "chunk end"),
        ("000000005\r\nhello\r\n", "chunk size"),
        ("0\r\nContent-Length: 5\r\n\r\n", "trailers"),
        ("0\r\nTransfer-Encoding: chunked\r\n\r\n", "trailers"),
        ("0\r\nHost: a\r\n\r\n", "trailers"),
        ("0\r\nAuthorization: a\r\n\r\n", "trailers"),
        ("0\r\nX-Forwarded-For: a\r\n\r\n", "trailers"),
        ("0\r\nTrue-Client-IP: a\r\n\r\n", "trailers"),
        ("0\r\nCDN-Src-IP: a\r\n\r\n", "trailers"),
        ("0\r\nTrue.Client.IP: a\r\n\r\n", "trailers"),
        ("0\r\nA_b: a\r\n\r\n", "trailers"),
        ("0\r\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA: a\r\n\r\n", "trailers"),
        ("0\r\n a\r\n\r\n", "folded"),
        ("0\r\nA: b\n\r\n", "bare LF"),
    ];
    for (body, word) in cases {
        let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        let (scan, run) = scan(format!("{head}{body}").as_bytes());
        let Verdict::Broken(RequestError::Malformed(reason)) = scan.verdict else {
            panic!("{body:?} gave {scan:?}");
        };
        assert!(reason.contains(word), "{body:?}: {reason}");
        assert!(scan.safe >= head.len() && run.heads == 1, "the head was fine: {body:?}");
    }
}

#[test]
fn limits_hold_to_the_byte() {
    let target = |bytes: usize| format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(bytes - 1));
    assert_eq!(scan(target(40).as_bytes()).0.verdict, Verdict::Continue);
    assert_eq!(scan(target(41).as_bytes()).0.verdict, Verdict::Refused(RequestError::TargetTooLong));

    let fields = |n: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(n));
    assert_eq!(scan(fields(5).as_bytes()).0.verdict, Verdict::Continue);
    assert_eq!(scan(fields(6).as_bytes()).0.verdict, Verdict::Refused(RequestError::HeadTooLarge));

    let head = |bytes: usize| format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "b".repeat(bytes - 23));
    assert_eq!(head(256).len(), 256);
    assert_eq!(scan(head(256).as_bytes()).0.verdict, Verdict::Continue);
    assert_eq!(scan(head(257).as_bytes()).0.verdict, Verdict::Refused(RequestError::HeadTooLarge));
    let twice = format!("{}{}", head(256), head(256));
    assert_eq!(scan(twice.as_bytes()).0, Scan { safe: 512, verdict: Verdict::Continue });

    let trailers =
        format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nSum: {}\r\n\r\n", "a".repeat(300));
    assert_eq!(scan(trailers.as_bytes()).0.verdict, Verdict::Broken(RequestError::HeadTooLarge));
}

#[test]
fn nothing_is_looked_at_behind_a_message() {
    let mut scanner = Scanner::new(LIMITS);
    let head = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
    assert_eq!(scanner.head(&[head, &b"\0\n"[..]].concat()), Ok(Head::Whole(head.len())));
    assert_eq!(scanner.framing(), None);
    let head = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n";
    assert_eq!(scanner.head(&[head, &b"ab\0\n"[..]].concat()), Ok(Head::Whole(head.len())));
    assert_eq!(scanner.body(b"ab\0\n"), Ok(Piece::Data(2)));
    assert_eq!(scanner.phase(), Phase::Between);
    let head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(scanner.head(head), Ok(Head::Whole(head.len())));
    let mut rest = &b"2\r\nab\r\n0\r\nSum: 1\r\n\r\n\0\n"[..];
    for wanted in [Piece::Framing(3), Piece::Data(2), Piece::Framing(5), Piece::Trailers(10)] {
        let piece = scanner.body(rest).unwrap();
        assert_eq!(piece, wanted);
        let (Piece::Data(taken) | Piece::Framing(taken) | Piece::Trailers(taken)) = piece;
        rest = &rest[taken..];
    }
    assert_eq!((scanner.phase(), rest), (Phase::Between, &b"\0\n"[..]));
}

#[test]
fn a_refusal_is_for_ever() {
    let (_, mut run) = scan(b"\n");
    assert!(matches!(run.scan(b"GET / HTTP/1.1\r\n\r\n").verdict, Verdict::Refused(_)));
}

#[test]
fn every_cut_gives_the_same() {
    let texts =
        PASSING.iter().map(|(text, _)| text.as_bytes()).chain(MALFORMED.iter().map(|(bytes, _)| *bytes));
    for bytes in texts {
        let whole = in_pieces(bytes, &[]);
        let all: Vec<usize> = (1..bytes.len()).collect();
        assert_eq!(in_pieces(bytes, &all), whole, "byte by byte: {:?}", bytes.escape_ascii().to_string());
        for cut in 0..bytes.len() {
            assert_eq!(in_pieces(bytes, &[cut]), whole, "at {cut}: {:?}", bytes.escape_ascii().to_string());
        }
    }
}

/// Message-like text: fragments that matter, in any order.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let fragments = prop::sample::select(vec![
        &b"GET / HTTP/1.1\r\n"[..],
        b"POST /a?b HTTP/1.0\r\n",
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b"\0",
        b"Host: a\r\n",
        b"Content-Length: 3\r\n",
        b"Content-Length: 0\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Upgrade: x\r\n",
        b"A:b\r\n",
        b"abc",
        b"3\r\nabc\r\n",
        b"0\r\n\r\n",
        b"0\r\n",
        b":",
        b"\xff",
        b"1",
    ]);
    prop::collection::vec(fragments, 0..12).prop_map(|parts| {
        let mut bytes = b"GET / HTTP/1.1\r\n".to_vec();
        bytes.extend(parts.concat());
        bytes
    })
}

/// The naive twin: heads that `httparse` finds in what was handed on, framed by the usual rules.
fn heads_by_httparse(mut bytes: &[u8]) -> u64 {
    let mut heads = 0;
    loop {
        let mut fields = [httparse::EMPTY_HEADER; 8];
        let mut request = httparse::Request::new(&mut fields);
        let Ok(httparse::Status::Complete(head)) = request.parse(bytes) else { return heads };
        heads += 1;
        let value = |name: &str| {
            let field = request.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name));
            field.map(|field| String::from_utf8_lossy(field.value).into_owned())
        };
        let length: usize = value("content-length").map_or(0, |length| length.parse().expect("a length"));
        let chunked = value("transfer-encoding").is_some();
        bytes = &bytes[head..];
        if chunked {
            loop {
                let Ok(httparse::Status::Complete((line, size))) = httparse::parse_chunk_size(bytes) else {
                    return heads;
                };
                let size = usize::try_from(size).expect("a size");
                if size == 0 {
                    bytes = &bytes[line..];
                    while let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") {
                        bytes = &bytes[end + 2..];
                        if end == 0 {
                            break;
                        }
                    }
                    break;
                }
                let Some(next) = bytes.get(line + size + 2..) else { return heads };
                bytes = next;
            }
        } else {
            let Some(next) = bytes.get(length..) else { return heads };
            bytes = next;
        }
    }
}

proptest! {
    #[test]
    fn any_cuts_give_the_same(bytes in message(), mut cuts in prop::collection::vec(0usize..120, 0..6)) {
        cuts.sort_unstable();
        prop_assert_eq!(in_pieces(&bytes, &cuts), in_pieces(&bytes, &[]));
    }

    #[test]
    fn what_passes_is_framed_alike_by_the_parser_behind(bytes in message()) {
        let (out, _, heads) = in_pieces(&bytes, &[]);
        prop_assert_eq!(heads_by_httparse(&out), heads, "{:?}", out.escape_ascii().to_string());
    }

    #[test]
    fn any_bytes_at_all_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (out, _, _) = in_pieces(&bytes, &[]);
        prop_assert!(bytes.starts_with(&out));
    }
}
