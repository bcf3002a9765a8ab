//! UUIDs as Java's `UUID.fromString` reads them, which is how FusionAuth and Keycloak read ids: groups may be
//! shorter or longer than written by the book.
//!
//! Text in, 128 bits out, without allocation. The source is the behaviour of Java 17: at most 36 UTF-16 units,
//! exactly four hyphens, each group a hexadecimal `long` (a leading `+`, any number of zeros, the digits of
//! Unicode's Basic Multilingual Plane such as fullwidth ones) of which the low 32, 16, 16, 16 and 48
//! bits count. Deliberately absent: braces, `urn:uuid:`, blanks, groups without hyphens, a leading `-` (it
//! would be a fifth hyphen). Those are in [`loose_uuid`], which is for values that can only close a door.

/// The longest text, in UTF-16 units. A character outside the Basic Multilingual Plane, which has two, is no digit
/// anyway, so that characters can be counted.
const LONGEST: usize = 36;

/// The bits of each group.
const GROUPS: [u32; 5] = [32, 16, 16, 16, 48];

/// The UUID that Java would make of a text, `None` where it would refuse. No allocation.
pub fn lenient_uuid(text: &str) -> Option<u128> {
    if text.chars().nth(LONGEST).is_some() { None } else { overlong_uuid(text) }
}

/// The same without a bound on the length, as Java had it before version 11. No allocation.
pub fn overlong_uuid(text: &str) -> Option<u128> {
    let mut groups = text.split('-');
    let mut uuid = 0;
    for bits in GROUPS {
        let group = parse_long(groups.next()?)?;
        uuid = uuid << bits | u128::from(group) & ((1 << bits) - 1);
    }
    groups.next().is_none().then_some(uuid)
}

/// The UUID that any other reader might make of a text: Python's `uuid.UUID`, Go's `uuid.Parse`, .NET's `Guid.Parse`,
/// PostgreSQL's `uuid`. 32 digits with hyphens anywhere or nowhere, in braces or parentheses, behind `urn:uuid:`, or
/// as .NET's list of `0x` numbers. No allocation.
pub fn loose_uuid(text: &str) -> Option<u128> {
    let text = strip_word(strip_word(text, "urn:"), "uuid:");
    let (mut count, mut uuid) = (0_u32, 0_u128);
    for character in text.chars() {
        match (character, digit(character)) {
            (_, Some(digit)) => (count, uuid) = (count + 1, uuid << 4 | u128::from(digit)),
            ('x' | 'X', None) => (count, uuid) = (count.checked_sub(1)?, uuid >> 4),
            ('-' | '{' | '}' | '(' | ')' | ',' | ' ', None) => {}
            _ => return None,
        }
        if count > 32 {
            return None;
        }
    }
    (count == 32).then_some(uuid)
}

fn strip_word<'t>(text: &'t str, word: &str) -> &'t str {
    match text.split_at_checked(word.len()) {
        Some((begin, rest)) if begin.eq_ignore_ascii_case(word) => rest,
        _ => text,
    }
}

/// `Long.parseLong(group, 16)` for a text without hyphens.
fn parse_long(group: &str) -> Option<u64> {
    let digits = group.strip_prefix('+').unwrap_or(group);
    if digits.is_empty() {
        return None;
    }
    digits.chars().try_fold(0_u64, |number, character| {
        let next = number.checked_mul(16)?.checked_add(digit(character)?)?;
        (next <= i64::MAX.unsigned_abs()).then_some(next)
    })
}

/// The zeros of the decimal digits that Java 17 (Unicode 13) knows in the Basic Multilingual Plane.
const ZEROS: [u32; 37] = [
    0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66,
    0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50,
    0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
];

/// `Character.digit(character, 16)`.
fn digit(character: char) -> Option<u64> {
    let ascii = match character {
        'Ａ'..='Ｆ' | 'ａ'..='ｆ' => char::from_u32(u32::from(character) - 0xFEE0)?,
        _ => character,
    };
    if let Some(digit) = ascii.to_digit(16) {
        return Some(digit.into());
    }
    let code = u32::from(character);
    let zero = ZEROS.partition_point(|zero| *zero <= code).checked_sub(1).and_then(|at| ZEROS.get(at))?;
    Some(code - zero).filter(|digit| *digit < 10).map(u64::from)
}

#[cfg(test)]
mod tests;
