//! The transformations, in one table: what an upstream may do to a path, and which features of a path call for it.

use super::scan::Features;
use super::{decode, structure};

/// One habit of upstreams, applied to a whole path.
pub(super) struct Transformation {
    /// Without any of these features it makes nothing that others do not make as well.
    pub(super) when: Features,
    /// Appends the changed path to an empty buffer.
    pub(super) apply: fn(&[u8], &mut Vec<u8>),
}

const fn on(when: Features, apply: fn(&[u8], &mut Vec<u8>)) -> Transformation {
    Transformation { when, apply }
}

/// Every transformation. What likely leads to a match comes first, for the sake of `explain`.
pub(super) static TRANSFORMATIONS: [Transformation; 28] = [
    on(Features::ESCAPE, decode::all),
    on(Features::SEMICOLON, structure::without_parameters),
    on(Features::BACKSLASH, structure::with_slashes_alone),
    on(Features::DOUBLE_SLASH, structure::with_merged_slashes),
    on(Features::LAST_DOT, structure::without_dot_segments),
    on(Features::ESCAPED_SLASH, decode::all_but_slashes),
    on(Features::ESCAPED_RESERVED.and(Features::ESCAPED_SLASH), decode::all_but_reserved),
    on(Features::ESCAPED_UNRESERVED, decode::unreserved_alone),
    on(Features::UNICODE_ESCAPE, decode::with_unicode_escapes),
    on(Features::HIGH, decode::overlong),
    on(Features::HIGH, decode::without_invalid),
    on(Features::HIGH, decode::compatible),
    on(Features::HIGH, decode::best_fit),
    on(Features::HIGH, decode::narrowed),
    on(Features::LAST_DOT, structure::up_to_last_ascent),
    on(Features::OUTER_BLANK, structure::without_outer_blanks),
    on(Features::OUTER_BLANK.and(Features::LAST_DOT), structure::without_last_dots),
    on(Features::OUTER_BLANK.and(Features::LAST_DOT), structure::with_plain_ascents),
    on(Features::CONTROL, structure::without_controls),
    on(Features::CONTROL, structure::without_line_ends),
    on(Features::CONTROL, structure::up_to_nul),
    on(Features::CONTROL, structure::up_to_line_end),
    on(Features::QUESTION, structure::up_to_question),
    on(Features::NUMBER_SIGN, structure::up_to_number_sign),
    on(Features::SEMICOLON, structure::up_to_semicolon),
    on(Features::SCHEME, structure::without_scheme),
    on(Features::AUTHORITY, structure::without_authority),
    on(Features::RELATIVE, structure::with_leading_slash),
];
