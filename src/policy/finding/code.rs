//! Every kind of finding, in one table: a stable name, its severity, and what it means.

/// Whether a finding makes the configuration unusable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// It is legal, but unwise; never blocks.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

macro_rules! codes {
    ($($variant:ident $severity:ident $name:literal $meaning:literal)*) => {
        /// A kind of finding. Its name never changes once released.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Code {
            $(#[doc = $meaning] $variant,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name, such as `unknown-key`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Whether it is an error or a warning.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// What it means, in one sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

codes! {
    Syntax Error "syntax" "The text is not TOML."
    UnknownKey Error "unknown-key" "A key that the gateway does not know, most often a slip of the keyboard."
    MissingKey Error "missing-key" "A key without which the table has no meaning."
    WrongType Error "wrong-type" "A value of another type than the key takes."
    UnknownWord Error "unknown-word" "A value that is not one of the words that the key takes."
    OutOfRange Error "out-of-range" "A number, duration, size or status beyond what the key takes."
    BadDuration Error "bad-duration" "A text that is no duration, such as `10s` or `500ms`."
    BadSize Error "bad-size" "A text that is no size, such as `32KiB`."
    Empty Error "empty" "A text or list that must not be empty."
    Duplicate Error "duplicate" "The same name, id, hash, identifier, host, prefix or address twice."
    Conflict Error "conflict" "Two keys that exclude each other."
    UnknownReference Error "unknown-reference" "A name or id that no table of the file has."
    SecondDefault Error "second-default" "More than one default tenant."
    BadAddress Error "bad-address" "A text that is no `host:port`."
    BadUrl Error "bad-url" "A text that is no `http://host:port` or `https://host:port`."
    BadRange Error "bad-range" "A text that is no address, CIDR block or range."
    BadMoment Error "bad-moment" "A date and time without an offset, which would be another moment in every place."
    BadHeader Error "bad-header" "A header name or value that cannot be sent, or that is not the configuration's to set."
    BadHash Error "bad-hash" "A text that is no SHA-256 in hex."
    BadId Error "bad-id" "A text that is no UUID where one is needed, or an id with control characters or blanks."
    BadHost Error "bad-host" "A text that is no host name or address."
    BadPath Error "bad-path" "A text that is no path prefix or path pattern."
    BadFile Error "bad-file" "A file that cannot be read."
    BadListLine Error "bad-list-line" "A line of a list file that is no address, CIDR block or range."
    BadCertificate Error "bad-certificate" "A PEM file without what it should hold, or a key of another certificate."
    TooMuch Error "too-much" "More list files than can be told apart."
    LeftOut Error "left-out" "Something in a list that is imported which an IP ACL cannot say: the list is left out."
    LeftAside Warning "left-aside" "Something beside a list that is imported which is not the list's: the list is imported without it."
    CrossingRanges Warning "crossing-ranges" "Ranges of an ACL that cross, with opposite actions: the narrower wins, which few readers expect."
    Contradiction Warning "contradiction" "The same range is both allowed and blocked by one ACL: Block wins."
    TrustsEverybody Warning "trusts-everybody" "Everybody may say which address they come from."
    SpoofableFirst Warning "spoofable-first" "`select = \"first\"` behind a public proxy: such proxies append, so the first value is the client's own."
    UnusedAcl Warning "unused-acl" "An ACL that nothing is given."
    BlindDatabase Warning "blind-database" "A database of countries or autonomous systems that cannot be read: what depends on it is blocked."
    ExpiredEntry Warning "expired-entry" "An entry that has expired: it is as if it were not there."
    EmptyList Warning "empty-list" "A list file without a single entry."
    OpenerApplication Warning "opener-application" "An application that is more open than the default tenant, whose ACL holds in the steps of a login that name no application."
    ExposedKey Warning "exposed-key" "A private key that every user of the machine can read."
    UnseenBodies Warning "unseen-bodies" "A decision listener for a proxy that sends no bodies: a request whose body could lead to a block is refused unread."
    NoDecoyHere Warning "no-decoy-here" "`on_block = \"decoy\"` beside a decision listener, whose proxy forwards the request itself: there the answer is 401."
    OwnAddress Warning "own-address" "An upstream at an address that the gateway itself listens on: it would forward to itself."
    CleartextAdmin Warning "cleartext-admin" "A management API beyond loopback without TLS: its keys travel in the clear."
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_in_kebab_case() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for name in names {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
        }
    }

    #[test]
    fn every_code_says_what_it_means() {
        for code in Code::ALL {
            assert!(code.meaning().ends_with('.'), "{}", code.name());
        }
    }
}
