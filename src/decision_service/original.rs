//! The request that a proxy asks about, put together from its question.
//!
//! The head of a question in, the head of the original request out, as if the client had sent it here: its method, its
//! target to the byte, its host, and the header fields as the proxy hands them on. The result is not checked yet; that is
//! done by [`head::check`](crate::request::head::check) as for every request.
//!
//! Whatever the dialect: a field that tells the method or the target and that the listener does not read
//! ([`TARGETS`], [`METHODS`]) must tell the same. A proxy overwrites only the names that it knows. Where the listener was
//! given the wrong dialect, the one that it reads is the client's own, and this is what notices.

use crate::config::Original;
use crate::request::{Fields, RequestHead, Target};
use http::uri::PathAndQuery;
use http::{Method, Version};
use std::net::IpAddr;

/// Fields in which proxies tell the original target.
const TARGETS: [&str; 3] = ["x-original-uri", "x-original-url", "x-forwarded-uri"];
/// Fields in which proxies tell the original method.
const METHODS: [&str; 2] = ["x-original-method", "x-forwarded-method"];

/// Why a question is not judged.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Doubt {
    /// The peer is not among `client_ip.trusted_proxies`.
    #[error("{0} is no trusted proxy")]
    Stranger(IpAddr),
    /// The client's address is not told.
    #[error("the proxy does not tell the client's address")]
    NoClient,
    /// A fact is not told.
    #[error("the proxy does not send `{0}`")]
    Missing(Box<str>),
    /// A fact is told twice.
    #[error("`{0}` is there twice")]
    Repeated(Box<str>),
    /// A fact is told in two ways.
    #[error("`{0}` tells something else; the proxy must remove it")]
    Disagrees(&'static str),
    /// The question is not below `path_prefix`.
    #[error("the question's path does not begin with `path_prefix`")]
    NotBelow,
    /// What is told is no method, target or host.
    #[error("the original {0} is none")]
    Malformed(&'static str),
}

/// The head of the request that a question is about.
pub(super) fn read(original: &Original, question: RequestHead) -> Result<RequestHead, Doubt> {
    let mut request = question;
    match original {
        Original::Headers { uri, method, host } => {
            let (method, target, host) = from_headers(&request.fields, (uri, method, host))?;
            request.method = method;
            request.target = target;
            request.version = Version::HTTP_11;
            request.fields.set("host", &host);
        }
        Original::Itself { path_prefix } => {
            request.target = without_prefix(request.target, path_prefix)?;
        }
    }
    let target = request.target.path_and_query();
    agrees(&request.fields, &TARGETS, |value| {
        Told::read(value).is_ok_and(|told| told.target.path_and_query() == target)
    })?;
    agrees(&request.fields, &METHODS, |value| value == request.method.as_str().as_bytes())?;
    Ok(request)
}

fn from_headers(
    fields: &Fields,
    (uri, method, host): (&str, &str, &str),
) -> Result<(Method, Target, Vec<u8>), Doubt> {
    let told = Told::read(only(fields, uri)?)?;
    let method = only(fields, method)?;
    let method = Method::from_bytes(method).map_err(|_| Doubt::Malformed("method"))?;
    let host = match (told.host, fields.named(host).next().is_some()) {
        (None, _) => only(fields, host)?.to_vec(),
        (Some(told), false) => told.to_vec(),
        (Some(told), true) if told.eq_ignore_ascii_case(only(fields, host)?) => told.to_vec(),
        (Some(_), true) => return Err(Doubt::Malformed("host")),
    };
    Ok((method, told.target, host))
}

/// The target as it came, but for what stands in front of its path.
fn without_prefix(target: Target, prefix: &str) -> Result<Target, Doubt> {
    let path = target.path_and_query().unwrap_or_default();
    let path = told_target(path.strip_prefix(prefix).ok_or(Doubt::NotBelow)?.as_bytes())?;
    Ok(target.with_path_of(path))
}

/// The value of a field that is there once.
fn only<'h>(fields: &'h Fields, name: &str) -> Result<&'h [u8], Doubt> {
    let mut values = fields.named(name);
    let value = values.next().filter(|value| !value.is_empty()).ok_or_else(|| Doubt::Missing(name.into()))?;
    if values.next().is_some() { Err(Doubt::Repeated(name.into())) } else { Ok(value) }
}

fn agrees(fields: &Fields, names: &[&'static str], same: impl Fn(&[u8]) -> bool) -> Result<(), Doubt> {
    let differs = |name: &&&'static str| !fields.named(name).all(&same);
    names.iter().find(differs).map_or(Ok(()), |name| Err(Doubt::Disagrees(name)))
}

/// A target, and the host of an absolute one.
struct Told<'a> {
    target: Target,
    host: Option<&'a [u8]>,
}

impl<'a> Told<'a> {
    /// Path and query, or `scheme://host/path`.
    fn read(bytes: &'a [u8]) -> Result<Self, Doubt> {
        const MALFORMED: Doubt = Doubt::Malformed("target");
        let absolute = ["http://", "https://"].iter().find_map(|scheme| {
            let (front, rest) = bytes.split_at_checked(scheme.len())?;
            front.eq_ignore_ascii_case(scheme.as_bytes()).then_some(rest)
        });
        let Some(rest) = absolute else {
            return Ok(Self { target: told_target(bytes)?, host: None });
        };
        let slash = rest.iter().position(|byte| *byte == b'/').ok_or(MALFORMED)?;
        let (host, path) = rest.split_at_checked(slash).ok_or(MALFORMED)?;
        Ok(Self { target: told_target(path)?, host: Some(host) })
    }
}

/// To the byte, or not at all: `http` drops fragments without a word and takes what is not ASCII.
fn told_target(bytes: &[u8]) -> Result<Target, Doubt> {
    let plain = bytes.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#');
    let parsed =
        PathAndQuery::try_from(bytes).ok().filter(|parsed| plain && parsed.as_str().as_bytes() == bytes);
    parsed.and_then(|_| Target::in_origin_form(bytes)).ok_or(Doubt::Malformed("target"))
}

#[cfg(test)]
mod tests;
