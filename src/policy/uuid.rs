//! UUIDs as Java's `UUID.fromString` reads them, which is how FusionAuth and Keycloak read ids: groups may be
//! shorter or longer than written by the book.

/// The UUID that Java would make of a text, `None` where it would refuse.
pub fn lenient_uuid(text: &str) -> Option<u128> {
    ::uuid::Uuid::parse_str(text).ok().map(|uuid| uuid.as_u128())
}
