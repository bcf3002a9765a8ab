//! What upstreams do to slashes, segments and ends of a path: path → path, one habit each.

/// Drops `;parameters` from every segment (RFC 3986 §3.3), as servlet containers and JAX-RS do.
pub(super) fn without_parameters(path: &[u8], out: &mut Vec<u8>) {
    let mut inside = false;
    for &octet in path {
        match octet {
            b'/' => inside = false,
            b';' => inside = true,
            _ => {}
        }
        if !inside {
            out.push(octet);
        }
    }
}

/// Takes backslashes for slashes: Windows, and the WHATWG URL standard.
pub(super) fn with_slashes_alone(path: &[u8], out: &mut Vec<u8>) {
    out.extend(path.iter().map(|&octet| if octet == b'\\' { b'/' } else { octet }));
}

/// Merges slashes: nginx, Apache, Go, Quarkus.
pub(super) fn with_merged_slashes(path: &[u8], out: &mut Vec<u8>) {
    let mut previous = 0;
    for &octet in path {
        if (previous, octet) != (b'/', b'/') {
            out.push(octet);
        }
        previous = octet;
    }
}

/// Resolves dot-segments (RFC 3986 §5.2.4); above the root is the root. Empty segments count.
pub(super) fn without_dot_segments(path: &[u8], out: &mut Vec<u8>) {
    let mut ends_in_dots = false;
    for (position, segment) in path.split(|&octet| octet == b'/').enumerate() {
        ends_in_dots = matches!(segment, b"." | b"..");
        if segment == b".." {
            out.truncate(memchr::memrchr(b'/', out).unwrap_or(0));
        } else if !ends_in_dots {
            if position > 0 {
                out.push(b'/');
            }
            out.extend_from_slice(segment);
        }
    }
    if ends_in_dots {
        out.push(b'/');
    }
}

/// Ends before the last `..`, as if what follows had not been seen as one. Upstreams that see only some of the
/// `..` (a filter in front of them, a limit, another notion of blanks) pass through such a place on their way, and
/// repeated use reaches them all.
pub(super) fn up_to_last_ascent(path: &[u8], out: &mut Vec<u8>) {
    let mut kept = path.len();
    let mut end = path.len();
    for segment in path.rsplit(|&octet| octet == b'/') {
        let start = end.saturating_sub(segment.len());
        if segment == b".." {
            kept = start;
            break;
        }
        end = start.saturating_sub(1);
    }
    out.extend_from_slice(path.get(..kept).unwrap_or(path));
}

/// Drops blanks around every segment.
pub(super) fn without_outer_blanks(path: &[u8], out: &mut Vec<u8>) {
    each_segment(path, out, trim);
}

/// Drops blanks around every segment and dots at its end, as Windows does with names of files: of three dots and more
/// nothing is left. The two dot-segments stay.
pub(super) fn without_last_dots(path: &[u8], out: &mut Vec<u8>) {
    each_segment(path, out, |segment| {
        let trimmed = trim(segment);
        let mut kept = trimmed;
        while let Some(shorter) = kept.strip_suffix(b".").map(trim) {
            kept = shorter;
        }
        if matches!(trimmed, b"." | b"..") { trimmed } else { kept }
    });
}

/// Takes segments of two dots and then dots and blanks alone for `..`: where what is at the end is dropped until an
/// ascent is left.
pub(super) fn with_plain_ascents(path: &[u8], out: &mut Vec<u8>) {
    each_segment(path, out, |segment| {
        let trimmed = trim(segment);
        let mut rest = trimmed.strip_prefix(b"..").map(trim);
        while let Some(shorter) = rest.and_then(|rest| rest.strip_prefix(b".")) {
            rest = Some(trim(shorter));
        }
        if rest.is_some_and(<[u8]>::is_empty) { b".." } else { segment }
    });
}

fn each_segment(path: &[u8], out: &mut Vec<u8>, edit: impl Fn(&[u8]) -> &[u8]) {
    for (position, segment) in path.split(|&octet| octet == b'/').enumerate() {
        if position > 0 {
            out.push(b'/');
        }
        out.extend_from_slice(edit(segment));
    }
}

/// Blanks of several octets: Unicode's white space and the byte order mark, in UTF-8.
const WIDE_BLANKS: [&[u8]; 22] = [
    b"\xc2\x85",
    b"\xc2\xa0",
    b"\xe1\x9a\x80",
    b"\xe1\xa0\x8e",
    b"\xe2\x80\x80",
    b"\xe2\x80\x81",
    b"\xe2\x80\x82",
    b"\xe2\x80\x83",
    b"\xe2\x80\x84",
    b"\xe2\x80\x85",
    b"\xe2\x80\x86",
    b"\xe2\x80\x87",
    b"\xe2\x80\x88",
    b"\xe2\x80\x89",
    b"\xe2\x80\x8a",
    b"\xe2\x80\x8b",
    b"\xe2\x80\xa8",
    b"\xe2\x80\xa9",
    b"\xe2\x80\xaf",
    b"\xe2\x81\x9f",
    b"\xe3\x80\x80",
    b"\xef\xbb\xbf",
];

/// Without blanks at both ends. A plus sign is one where paths are decoded as forms are; `\x85` and `\xa0` are
/// ones in Latin-1, that is where the segment is no UTF-8.
fn trim(mut segment: &[u8]) -> &[u8] {
    let edges = [segment.first(), segment.last()];
    if !edges.into_iter().flatten().any(|&octet| !octet.is_ascii_graphic() || octet == b'+') {
        return segment;
    }
    let latin = str::from_utf8(segment).is_err();
    let narrow = |octet: u8| match octet {
        0..=b' ' | b'+' | 0x7f => true,
        0x85 | 0xa0 => latin,
        _ => false,
    };
    loop {
        segment = match segment {
            [first, rest @ ..] if narrow(*first) => rest,
            [rest @ .., last] if narrow(*last) => rest,
            _ => match WIDE_BLANKS
                .iter()
                .find_map(|blank| segment.strip_prefix(*blank).or_else(|| segment.strip_suffix(*blank)))
            {
                Some(rest) => rest,
                None => return segment,
            },
        };
    }
}

/// Drops control characters.
pub(super) fn without_controls(path: &[u8], out: &mut Vec<u8>) {
    out.extend(path.iter().filter(|octet| !octet.is_ascii_control()));
}

/// Drops tabs and line ends alone, as the WHATWG URL standard does.
pub(super) fn without_line_ends(path: &[u8], out: &mut Vec<u8>) {
    out.extend(path.iter().filter(|octet| !matches!(octet, b'\t' | b'\n' | b'\r')));
}

/// Ends at the first NUL, as text in C does.
pub(super) fn up_to_nul(path: &[u8], out: &mut Vec<u8>) {
    up_to(path, out, |octet| octet == 0);
}

/// Ends at the first CR or LF.
pub(super) fn up_to_line_end(path: &[u8], out: &mut Vec<u8>) {
    up_to(path, out, |octet| matches!(octet, b'\n' | b'\r'));
}

/// Ends at the first question mark, which was an escaped one.
pub(super) fn up_to_question(path: &[u8], out: &mut Vec<u8>) {
    up_to(path, out, |octet| octet == b'?');
}

/// Ends at the first number sign.
pub(super) fn up_to_number_sign(path: &[u8], out: &mut Vec<u8>) {
    up_to(path, out, |octet| octet == b'#');
}

/// Ends at the first semicolon, slashes behind it or not.
pub(super) fn up_to_semicolon(path: &[u8], out: &mut Vec<u8>) {
    up_to(path, out, |octet| octet == b';');
}

fn up_to(path: &[u8], out: &mut Vec<u8>, ends: impl Fn(u8) -> bool) {
    out.extend(path.iter().copied().take_while(|&octet| !ends(octet)));
}

/// Drops a scheme: whatever stands before a colon in the first segment of a target without a leading slash.
pub(super) fn without_scheme(path: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(behind_scheme(path).unwrap_or(path));
}

/// What follows the scheme, if there is one.
pub(super) fn behind_scheme(path: &[u8]) -> Option<&[u8]> {
    let at = memchr::memchr2(b':', b'/', path)?;
    path.get(at..)?.strip_prefix(b":")
}

/// Drops an authority, between two or more slashes and the next one (RFC 3986 §3.2).
pub(super) fn without_authority(path: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(behind_authority(path).unwrap_or(b"/"));
}

/// What follows the authority, from its slash; `None` where nothing does.
pub(super) fn behind_authority(path: &[u8]) -> Option<&[u8]> {
    let start = path.iter().position(|&octet| octet != b'/')?;
    let behind = path.get(start..)?;
    behind.get(memchr::memchr(b'/', behind)?..)
}

/// Puts a slash in front.
pub(super) fn with_leading_slash(path: &[u8], out: &mut Vec<u8>) {
    out.push(b'/');
    out.extend_from_slice(path);
}
