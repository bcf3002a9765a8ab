//! One pass over a path that says which transformations could change it: path → [`Features`].
//!
//! A path without any feature has exactly one reading, and ordinary paths are such. The scan errs on the side of
//! reporting a feature: a transformation that then changes nothing costs time, a missing feature would cost a reading.

/// What a path holds, as a set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Features(u32);

impl Features {
    /// An escape of any octet.
    pub(super) const ESCAPE: Self = Self(1);
    /// An escaped slash.
    pub(super) const ESCAPED_SLASH: Self = Self(1 << 1);
    /// An escaped unreserved character (RFC 3986 §2.3).
    pub(super) const ESCAPED_UNRESERVED: Self = Self(1 << 2);
    /// An escaped delimiter, or an escaped percent sign.
    pub(super) const ESCAPED_RESERVED: Self = Self(1 << 3);
    /// `%u` and four hexadecimal digits.
    pub(super) const UNICODE_ESCAPE: Self = Self(1 << 4);
    /// A semicolon.
    pub(super) const SEMICOLON: Self = Self(1 << 5);
    /// A backslash.
    pub(super) const BACKSLASH: Self = Self(1 << 6);
    /// Two slashes in a row.
    pub(super) const DOUBLE_SLASH: Self = Self(1 << 7);
    /// A segment that ends in a dot; dot-segments do.
    pub(super) const LAST_DOT: Self = Self(1 << 8);
    /// A segment that begins or ends in a blank, or in what may be one.
    pub(super) const OUTER_BLANK: Self = Self(1 << 9);
    /// A control character.
    pub(super) const CONTROL: Self = Self(1 << 10);
    /// A question mark.
    pub(super) const QUESTION: Self = Self(1 << 11);
    /// A number sign.
    pub(super) const NUMBER_SIGN: Self = Self(1 << 12);
    /// An octet outside ASCII.
    pub(super) const HIGH: Self = Self(1 << 13);
    /// No slash at the beginning.
    pub(super) const RELATIVE: Self = Self(1 << 14);
    /// No slash at the beginning, but a colon somewhere.
    pub(super) const SCHEME: Self = Self(1 << 15);
    /// Two slashes at the beginning.
    pub(super) const AUTHORITY: Self = Self(1 << 16);

    const SLASH: Self = Self(1 << 20);
    const DOT: Self = Self(1 << 21);
    const BLANK: Self = Self(1 << 22);
    const PERCENT: Self = Self(1 << 23);
    const COLON: Self = Self(1 << 24);
    /// Features of single octets, which matter only by their place.
    const LOCAL: Self = Self(0b11111 << 20);

    /// Whether there is nothing to transform.
    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the sets meet.
    pub(super) const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Both sets.
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// The features of each octet by itself.
#[expect(
    clippy::indexing_slicing,
    reason = "an octet is always within 256, and constants are checked by the compiler"
)]
static CLASSES: [Features; 256] = {
    let mut classes = [Features(0); 256];
    let mut octet: u8 = 0;
    loop {
        classes[octet as usize] = class(octet);
        if octet == u8::MAX {
            break classes;
        }
        octet += 1;
    }
};

const fn class(octet: u8) -> Features {
    match octet {
        b'/' => Features::SLASH,
        b'.' => Features::DOT,
        b' ' | b'+' => Features::BLANK,
        0..=0x1f | 0x7f => Features::CONTROL.and(Features::BLANK),
        0x80.. => Features::HIGH.and(Features::BLANK),
        b'%' => Features::PERCENT,
        b';' => Features::SEMICOLON,
        b'\\' => Features::BACKSLASH,
        b'?' => Features::QUESTION,
        b'#' => Features::NUMBER_SIGN,
        b':' => Features::COLON,
        _ => Features(0),
    }
}

/// The features of a path. Linear; no allocation.
pub(super) fn scan(path: &[u8]) -> Features {
    if is_ordinary(path) {
        return Features(0);
    }
    let mut found = Features(0);
    let mut previous = Features(0);
    for &octet in path {
        let class = CLASSES.get(usize::from(octet)).copied().unwrap_or_default();
        found = found.and(class);
        if previous.and(class).intersects(Features::SLASH) {
            found = found.and(pair(previous, class));
        }
        previous = class;
    }
    found = found.and(pair(previous, Features::SLASH).without(Features::DOUBLE_SLASH));
    if path.first() != Some(&b'/') {
        found = found.and(Features::RELATIVE);
        if found.intersects(Features::COLON) {
            found = found.and(Features::SCHEME);
        }
        if path.first().is_some_and(|&first| class(first).intersects(Features::BLANK)) {
            found = found.and(Features::OUTER_BLANK);
        }
    }
    if path.starts_with(b"//") {
        found = found.and(Features::AUTHORITY);
    }
    if found.intersects(Features::PERCENT) {
        found = found.and(escapes(path));
    }
    found.without(Features::LOCAL)
}

/// Whether a path begins with a slash and has nothing else that matters by itself, and no two slashes in a row: the
/// short way for nearly every path.
fn is_ordinary(path: &[u8]) -> bool {
    let (mut found, mut pairs, mut previous) = (Features(0), Features(0), Features(0));
    for &octet in path {
        let class = CLASSES.get(usize::from(octet)).copied().unwrap_or_default();
        found = found.and(class);
        pairs = pairs.and(Features(previous.0 & class.0));
        previous = class;
    }
    path.first() == Some(&b'/') && found == Features::SLASH && !pairs.intersects(Features::SLASH)
}

/// The features of two neighbours.
fn pair(left: Features, right: Features) -> Features {
    let mut found = Features(0);
    if right.intersects(Features::SLASH) {
        if left.intersects(Features::SLASH) {
            found = found.and(Features::DOUBLE_SLASH);
        }
        if left.intersects(Features::DOT) {
            found = found.and(Features::LAST_DOT);
        }
        if left.intersects(Features::BLANK) {
            found = found.and(Features::OUTER_BLANK);
        }
    }
    if left.intersects(Features::SLASH) && right.intersects(Features::BLANK) {
        found = found.and(Features::OUTER_BLANK);
    }
    found
}

/// The kinds of escapes in a path.
fn escapes(path: &[u8]) -> Features {
    let mut found = Features(0);
    for at in memchr::memchr_iter(b'%', path) {
        let behind = path.get(at + 1..).unwrap_or_default();
        if let Some(octet) = escaped_octet(behind) {
            found = found.and(Features::ESCAPE).and(match octet {
                b'/' => Features::ESCAPED_SLASH,
                _ if is_unreserved(octet) => Features::ESCAPED_UNRESERVED,
                _ if is_reserved(octet) => Features::ESCAPED_RESERVED,
                _ => Features(0),
            });
        } else if escaped_unit(behind).is_some() {
            found = found.and(Features::UNICODE_ESCAPE);
        }
    }
    found
}

/// The octet that the two digits behind a percent sign stand for (RFC 3986 §2.1).
pub(super) fn escaped_octet(behind: &[u8]) -> Option<u8> {
    let [high, low, ..] = behind else { return None };
    Some(digit(*high)? << 4 | digit(*low)?)
}

/// The UTF-16 unit that `u` and four digits behind a percent sign stand for, as IIS and JavaScript's `unescape` read it.
pub(super) fn escaped_unit(behind: &[u8]) -> Option<u16> {
    let [b'u' | b'U', digits @ ..] = behind else { return None };
    let high = escaped_octet(digits)?;
    let low = escaped_octet(digits.get(2..)?)?;
    Some(u16::from_be_bytes([high, low]))
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        b'A'..=b'F' => Some(character - b'A' + 10),
        _ => None,
    }
}

/// RFC 3986 §2.3.
pub(super) fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~".contains(&octet)
}

/// Delimiters that JavaScript's `decodeURI` and its like keep escaped, and the percent sign.
pub(super) fn is_reserved(octet: u8) -> bool {
    b"/?#%;:@&=+$,".contains(&octet)
}
