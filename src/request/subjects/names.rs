//! Which field a name means, and whether it says so to the letter.
//!
//! In: a name, percent-decoded. Out: a [`Field`], or nothing. Names are folded to their letters and digits in
//! lower case, as upstreams do that bind `client.id`, `Client-ID`, `clientId` or `client_id\0` to the same; Unicode
//! letters that some languages fold into ASCII (`ı`, `ſ`, `K`) are folded too. Each segment between
//! brackets, dots, slashes and the like counts as a name of its own: `client_id[0]`, `oauth[client_id]`.

use smallvec::SmallVec;

/// A field of interest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Field {
    /// What it means.
    pub(super) kind: Kind,
    /// Whether its name is the one that the protocol defines, to the letter.
    pub(super) exact: bool,
}

/// What a field means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// `client_id` (RFC 6749 §2.2).
    ClientId,
    /// `tenantId` (FusionAuth).
    TenantId,
    /// `grant_type` (RFC 6749 §4).
    GrantType,
    /// `audience` (Auth0).
    Audience,
    /// `resource` (RFC 8707 §2).
    Resource,
    /// `scope` (RFC 6749 §3.3).
    Scope,
    /// A JWT.
    Token(Token),
}

/// What a JWT is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Token {
    /// An `id_token_hint` (OpenID Connect Core §3.1.2.1) or access token (RFC 6750).
    Identity,
    /// A `client_assertion` or `assertion` (RFC 7523 §2).
    Assertion,
    /// A request object (RFC 9101 §4): parameters as claims.
    Request,
}

/// A folded name: enough for the longest that matters, and one more to tell a longer one.
type Folded = SmallVec<[u8; 24]>;

const SEGMENT_ENDS: [char; 12] = ['[', ']', '.', '/', ':', '\0', ';', '?', '#', ',', '(', '$'];

/// The field that a name means.
pub(super) fn classify(name: &str) -> Option<Field> {
    let exact = matches!(name, "client_id" | "tenantId");
    let kind = kind(name).or_else(|| {
        if name.contains(SEGMENT_ENDS) { name.split(SEGMENT_ENDS).find_map(kind) } else { None }
    })?;
    Some(Field { kind, exact })
}

fn kind(name: &str) -> Option<Kind> {
    Some(match fold(name).as_slice() {
        b"clientid" => Kind::ClientId,
        b"tenantid" => Kind::TenantId,
        b"granttype" => Kind::GrantType,
        b"audience" => Kind::Audience,
        b"resource" => Kind::Resource,
        b"scope" => Kind::Scope,
        b"idtokenhint" | b"accesstoken" => Kind::Token(Token::Identity),
        b"clientassertion" | b"assertion" => Kind::Token(Token::Assertion),
        b"request" => Kind::Token(Token::Request),
        _ => return None,
    })
}

fn fold(name: &str) -> Folded {
    let letters = name.chars().flat_map(|letter| {
        let (ascii, other) = if letter.is_ascii() { (Some(letter), None) } else { (None, Some(letter)) };
        let other = other.into_iter().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
        ascii.map(|letter| letter.to_ascii_lowercase()).into_iter().chain(other)
    });
    let letters = letters.filter(|letter| letter.is_alphanumeric());
    letters.take(24).map(|letter| u8::try_from(letter).ok().filter(u8::is_ascii).unwrap_or(0xff)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        for name in [
            "client_id",
            "CLIENT_ID",
            "clientId",
            "client-id",
            "client.id",
            "client id",
            " client_id ",
            "client_id[]",
            "client_id[0]",
            "client_id\0",
            "client_id\0x",
            "oauth[client_id]",
            "client[id]",
            "?client_id",
            "clıent_id",
            "CLİENT_ID",
            "a.client_id",
            "client\u{200b}_id",
            "$client_id",
            "/client_id",
        ] {
            let field = classify(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(field, Field { kind: Kind::ClientId, exact: name == "client_id" }, "{name}");
        }
        for name in ["", "client", "client_id_issued_at", "xclient_id", "id", "clïent_id", "client_ids", "_"]
        {
            assert_eq!(classify(name), None, "{name}");
        }
        assert_eq!(classify("tenantId"), Some(Field { kind: Kind::TenantId, exact: true }));
        assert_eq!(classify("tenant_id"), Some(Field { kind: Kind::TenantId, exact: false }));
        assert_eq!(classify("\u{17f}cope").map(|field| field.kind), Some(Kind::Scope));
        assert_eq!(classify("grant_type").map(|field| field.kind), Some(Kind::GrantType));
    }
}
