//! Names of fields that the gateway has a use for, so that they are compared once, when a head is read.
//!
//! Name in lower case in → which of them it is out. What is not among them is [`FieldName::Other`] and goes by its text.

/// A name that is known here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is the name that it says")]
pub enum FieldName {
    Accept,
    AcceptEncoding,
    AcceptLanguage,
    Authorization,
    CacheControl,
    Connection,
    ContentEncoding,
    ContentLength,
    ContentType,
    Cookie,
    Expect,
    Forwarded,
    Host,
    Origin,
    Referer,
    SecWebSocketKey,
    Te,
    Trailer,
    TransferEncoding,
    Upgrade,
    UserAgent,
    XForwardedFor,
    XForwardedHost,
    XForwardedPort,
    XForwardedProto,
    XRealIp,
    XRequestId,
    Other,
}

impl FieldName {
    /// Which one this is. The length alone rules most of them out.
    pub fn of(name: &[u8]) -> Self {
        match name.len() {
            2 => one_of(name, &[(b"te", Self::Te)]),
            4 => one_of(name, &[(b"host", Self::Host)]),
            6 => one_of(
                name,
                &[
                    (b"accept", Self::Accept),
                    (b"cookie", Self::Cookie),
                    (b"expect", Self::Expect),
                    (b"origin", Self::Origin),
                ],
            ),
            7 => one_of(
                name,
                &[(b"referer", Self::Referer), (b"trailer", Self::Trailer), (b"upgrade", Self::Upgrade)],
            ),
            9 => one_of(name, &[(b"forwarded", Self::Forwarded), (b"x-real-ip", Self::XRealIp)]),
            10 => one_of(name, &[(b"connection", Self::Connection), (b"user-agent", Self::UserAgent)]),
            12 => one_of(name, &[(b"content-type", Self::ContentType), (b"x-request-id", Self::XRequestId)]),
            13 => one_of(
                name,
                &[(b"authorization", Self::Authorization), (b"cache-control", Self::CacheControl)],
            ),
            14 => one_of(name, &[(b"content-length", Self::ContentLength)]),
            15 => one_of(
                name,
                &[
                    (b"accept-encoding", Self::AcceptEncoding),
                    (b"accept-language", Self::AcceptLanguage),
                    (b"x-forwarded-for", Self::XForwardedFor),
                ],
            ),
            16 => one_of(
                name,
                &[
                    (b"content-encoding", Self::ContentEncoding),
                    (b"x-forwarded-host", Self::XForwardedHost),
                    (b"x-forwarded-port", Self::XForwardedPort),
                ],
            ),
            17 => one_of(
                name,
                &[
                    (b"sec-websocket-key", Self::SecWebSocketKey),
                    (b"transfer-encoding", Self::TransferEncoding),
                    (b"x-forwarded-proto", Self::XForwardedProto),
                ],
            ),
            _ => Self::Other,
        }
    }

    /// Its place in a [`Names`].
    const fn bit(self) -> u64 {
        1 << self as u64
    }
}

fn one_of<const N: usize>(name: &[u8], names: &[(&[u8; N], FieldName)]) -> FieldName {
    let Ok(name) = <&[u8; N]>::try_from(name) else { return FieldName::Other };
    names.iter().find(|(known, _)| *known == name).map_or(FieldName::Other, |(_, known)| *known)
}

/// A set of names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Names(u64);

impl Names {
    /// The set of these.
    pub const fn of(names: &[FieldName]) -> Self {
        let (mut set, mut rest) = (0, names);
        while let [first, others @ ..] = rest {
            set |= first.bit();
            rest = others;
        }
        Self(set)
    }

    /// Adds a name.
    pub fn add(&mut self, name: FieldName) {
        self.0 |= name.bit();
    }

    /// Whether this name is among them.
    pub const fn contain(self, name: FieldName) -> bool {
        self.0 & name.bit() != 0
    }

    /// These and others.
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_by_their_text() {
        for (text, name) in [
            ("accept", FieldName::Accept),
            ("accept-encoding", FieldName::AcceptEncoding),
            ("accept-language", FieldName::AcceptLanguage),
            ("authorization", FieldName::Authorization),
            ("cache-control", FieldName::CacheControl),
            ("connection", FieldName::Connection),
            ("content-encoding", FieldName::ContentEncoding),
            ("content-length", FieldName::ContentLength),
            ("content-type", FieldName::ContentType),
            ("cookie", FieldName::Cookie),
            ("expect", FieldName::Expect),
            ("forwarded", FieldName::Forwarded),
            ("host", FieldName::Host),
            ("origin", FieldName::Origin),
            ("referer", FieldName::Referer),
            ("sec-websocket-key", FieldName::SecWebSocketKey),
            ("te", FieldName::Te),
            ("trailer", FieldName::Trailer),
            ("transfer-encoding", FieldName::TransferEncoding),
            ("upgrade", FieldName::Upgrade),
            ("user-agent", FieldName::UserAgent),
            ("x-forwarded-for", FieldName::XForwardedFor),
            ("x-forwarded-host", FieldName::XForwardedHost),
            ("x-forwarded-port", FieldName::XForwardedPort),
            ("x-forwarded-proto", FieldName::XForwardedProto),
            ("x-real-ip", FieldName::XRealIp),
            ("x-request-id", FieldName::XRequestId),
        ] {
            assert_eq!(FieldName::of(text.as_bytes()), name, "{text}");
            let (set, other) = (Names::of(&[name]), Names::of(&[FieldName::Other]));
            assert!(set.contain(name) && !set.contain(FieldName::Other) && !other.contain(name), "{text}");
            assert!(set.and(other).contain(name) && set.and(other).contain(FieldName::Other), "{text}");
            assert_eq!(FieldName::of(&text.as_bytes()[1..]), FieldName::Other, "{text}");
            let other = format!("{}_", text.get(1..).unwrap());
            assert_eq!(FieldName::of(other.as_bytes()), FieldName::Other, "{text}");
        }
        assert_eq!(FieldName::of(b""), FieldName::Other);
    }
}
