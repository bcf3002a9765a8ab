//! What a request asks for: its target (RFC 9112 §3.2), path and query to the byte as the client sent them.
//!
//! Nearly every target is in origin form, a path and perhaps a query, and of such nothing but the text is kept; whoever
//! makes one has read every byte of it already. What stands in front of the path, in absolute form or in HTTP/2's
//! pseudo-header fields, is kept apart.

use http::uri::{self, Authority, PathAndQuery, Scheme, Uri};
use std::fmt;

/// A target. Whatever it is, `http::Uri` can hold it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// Path and query; `None` in authority form.
    text: Option<Box<str>>,
    /// Bytes of the path.
    path: usize,
    origin: Option<Box<Origin>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Origin {
    scheme: Option<Scheme>,
    authority: Authority,
}

impl Target {
    /// The longest that `http::Uri` can hold, in bytes.
    pub const MOST_BYTES: usize = 65_534;

    /// A path that begins with a slash and perhaps a query, or the asterisk, in visible ASCII without `#`; whoever asks
    /// has seen to that. `None`: it is in another form, or too long. Linear.
    pub fn in_origin_form(text: &[u8]) -> Option<Self> {
        if text.len() > Self::MOST_BYTES || !(text.starts_with(b"/") || text == b"*") {
            return None;
        }
        // A copy lies where many bytes at once can be checked.
        Some(Self::of(Some(String::from_utf8(text.to_vec()).ok()?.into_boxed_str())))
    }

    fn of(text: Option<Box<str>>) -> Self {
        let whole = text.as_deref().unwrap_or_default();
        let path = memchr::memchr(b'?', whole.as_bytes()).unwrap_or(whole.len());
        Self { text, path, origin: None }
    }

    /// With this scheme and authority in front of it. Without an authority there is no scheme.
    #[must_use]
    pub fn at(self, scheme: Option<Scheme>, authority: Option<Authority>) -> Self {
        let origin = authority.map(|authority| Box::new(Origin { scheme, authority }));
        Self { origin, ..self }
    }

    /// An authority and nothing else, as CONNECT has it.
    pub fn in_authority_form(authority: Option<Authority>) -> Self {
        Self::of(None).at(None, authority)
    }

    /// This path and query, with scheme and authority as they are here.
    #[must_use]
    pub fn with_path_of(self, other: Self) -> Self {
        Self { origin: self.origin, ..other }
    }

    /// The path, and whatever a client put in front of the first `?`.
    pub fn path(&self) -> &str {
        let path = self.text.as_deref().and_then(|text| text.get(..self.path));
        path.filter(|path| !path.is_empty()).unwrap_or("/")
    }

    /// What is behind the first `?`.
    pub fn query(&self) -> Option<&str> {
        self.text.as_deref()?.get(self.path + 1..)
    }

    /// Path and query as they came; `None` in authority form.
    pub fn path_and_query(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The authority of absolute form, or HTTP/2's.
    pub fn authority(&self) -> Option<&str> {
        self.origin.as_ref().map(|origin| origin.authority.as_str())
    }

    /// The scheme in front of it.
    pub fn scheme(&self) -> Option<&str> {
        self.origin.as_ref()?.scheme.as_ref().map(Scheme::as_str)
    }
}

/// The root.
impl Default for Target {
    fn default() -> Self {
        Self::of(Some("/".into()))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = self.scheme() {
            write!(f, "{scheme}://")?;
        }
        f.write_str(self.authority().unwrap_or_default())?;
        if self.text.is_some() {
            f.write_str(self.path())?;
        }
        self.query().map_or(Ok(()), |query| write!(f, "?{query}"))
    }
}

impl From<Uri> for Target {
    fn from(uri: Uri) -> Self {
        let text = uri.path_and_query().map(|text| text.as_str().into());
        let uri::Parts { scheme, authority, .. } = uri.into_parts();
        Self::of(text).at(scheme, authority)
    }
}

/// For whoever works with the types of `http`. What is none to `http` becomes the root; there is no such target.
impl From<&Target> for Uri {
    fn from(target: &Target) -> Self {
        let mut parts = uri::Parts::default();
        parts.path_and_query = target.path_and_query().and_then(|text| PathAndQuery::try_from(text).ok());
        if let Some(Origin { scheme, authority }) = target.origin.as_deref().cloned() {
            (parts.scheme, parts.authority) = (scheme, Some(authority));
        }
        Self::from_parts(parts).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn origin_form_is_kept_to_the_byte() {
        for (text, path, query) in [
            ("/", "/", None),
            ("//a/../b?", "//a/../b", Some("")),
            ("/a?b?c", "/a", Some("b?c")),
            ("*", "*", None),
        ] {
            let target = Target::in_origin_form(text.as_bytes()).unwrap();
            assert_eq!((target.path(), target.query()), (path, query));
            assert_eq!((target.path_and_query(), target.to_string()), (Some(text), text.to_owned()));
            assert_eq!((target.scheme(), target.authority()), (None, None));
        }
        for other in ["", "a", "http://a/", "?a", "**"] {
            assert_eq!(Target::in_origin_form(other.as_bytes()), None, "{other:?}");
        }
        assert_eq!(Target::in_origin_form(b"/\xff"), None);
    }

    #[test]
    fn the_longest_is_the_longest_of_uri() {
        let longest = format!("/{}", "a".repeat(Target::MOST_BYTES - 1));
        let target = Target::in_origin_form(longest.as_bytes()).unwrap();
        assert_eq!(Uri::from(&target).path(), longest);
        let longer = longest + "a";
        assert!(longer.parse::<Uri>().is_err());
        assert_eq!(Target::in_origin_form(longer.as_bytes()), None);
    }

    #[test]
    fn what_stands_in_front_changes_no_path() {
        let target = Target::from(Uri::from_static("https://a:1/b?c"));
        let other = target.clone().with_path_of(Target::in_origin_form(b"/d").unwrap());
        assert_eq!(
            (target.to_string(), other.to_string()),
            ("https://a:1/b?c".into(), "https://a:1/d".into())
        );
        assert_eq!((target.path(), other.path()), ("/b", "/d"));
        let connect = Target::in_authority_form(Some(Authority::from_static("a:443")));
        assert_eq!((connect.to_string(), connect.path_and_query()), ("a:443".into(), None));
        assert_eq!(connect, Target::from(Uri::from_static("a:443")));
    }

    proptest! {
        #[test]
        fn it_says_what_a_uri_says(
            text in "(https?://)?[a-z.]{0,3}(:[0-9]{1,3})?[/?*]?[!-~&&[^#]]{0,12}"
        ) {
            let Ok(uri) = text.parse::<Uri>() else { return Ok(()) };
            let target = Target::from(uri.clone());
            prop_assert_eq!(target.path_and_query(), uri.path_and_query().map(PathAndQuery::as_str));
            prop_assert_eq!((target.scheme(), target.query()), (uri.scheme_str(), uri.query()));
            prop_assert_eq!(target.authority(), uri.authority().map(Authority::as_str));
            if target.path_and_query().is_some() {
                prop_assert_eq!(target.path(), uri.path());
            }
            prop_assert_eq!(target.to_string(), uri.to_string());
            prop_assert_eq!(Uri::from(&target), uri);
            if text.starts_with('/') {
                prop_assert_eq!(Target::in_origin_form(text.as_bytes()), Some(target));
            }
        }
    }
}
