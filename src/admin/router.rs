//! Method and path → [`Route`]. One table for the server and for the OpenAPI document.
//!
//! A path is compared as it came, but for one trailing slash; an id in it is percent-decoded. `HEAD` is `GET`.

use super::errors::Problem;
use http::Method;
use percent_encoding::percent_decode_str;

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Route {
    /// `GET /healthz`
    Healthz,
    /// `GET /readyz`
    Readyz,
    /// `GET /metrics`
    Metrics,
    /// `GET /openapi.json`
    OpenApi,
    /// `POST /api/explain`
    Explain,
    /// `GET /api/stats`
    Stats,
    /// `GET` and `PUT` of `/api/log`
    Log,
    /// `POST /api/confirm`
    Confirm,
    /// An object, or all of a kind.
    Object(Kind, Verb, Option<String>),
}

/// A kind of object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `/api/ip-acl`
    IpAcl,
    /// `/api/api-key`
    ApiKey,
    /// `/api/tenant`
    Tenant,
    /// `/api/application`
    Application,
}

/// What is done with objects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    /// `POST`
    Create,
    /// `GET`
    Retrieve,
    /// `GET` and `POST` of `/search`
    Search,
    /// `PUT`
    Update,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::IpAcl, Self::ApiKey, Self::Tenant, Self::Application];

    /// Its part of the path.
    pub fn segment(self) -> &'static str {
        match self {
            Self::IpAcl => "ip-acl",
            Self::ApiKey => "api-key",
            Self::Tenant => "tenant",
            Self::Application => "application",
        }
    }
}

impl Route {
    /// Whether anybody may ask for it.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Healthz | Self::Readyz | Self::Metrics | Self::OpenApi)
    }

    /// What may be done with it, as `Allow` says it.
    fn methods(&self) -> &'static str {
        match self {
            Self::Healthz | Self::Readyz | Self::Metrics | Self::OpenApi | Self::Stats => "GET, HEAD",
            Self::Log => "GET, HEAD, PUT",
            Self::Explain | Self::Confirm => "POST",
            Self::Object(_, Verb::Search, _) => "GET, HEAD, POST",
            Self::Object(..) => "GET, HEAD, POST, PUT, PATCH, DELETE",
        }
    }
}

/// Finds what is asked for.
///
/// # Errors
/// 404, or 405 with what is allowed.
pub fn route(method: &Method, path: &str) -> Result<Route, Problem> {
    let path = path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path);
    let fixed = match path {
        "/healthz" => Some(Route::Healthz),
        "/readyz" => Some(Route::Readyz),
        "/metrics" => Some(Route::Metrics),
        "/openapi.json" => Some(Route::OpenApi),
        "/api/explain" => Some(Route::Explain),
        "/api/log" => Some(Route::Log),
        "/api/stats" => Some(Route::Stats),
        "/api/confirm" => Some(Route::Confirm),
        _ => None,
    };
    match fixed {
        Some(route) => {
            let methods = route.methods();
            let allowed = methods.split(", ").any(|allowed| allowed == method.as_str());
            only(route, allowed, methods)
        }
        None => object(method, path),
    }
}

fn only(route: Route, allowed: bool, methods: &'static str) -> Result<Route, Problem> {
    if allowed { Ok(route) } else { Err(Problem::Method(methods)) }
}

fn object(method: &Method, path: &str) -> Result<Route, Problem> {
    let mut segments = path.strip_prefix("/api/").ok_or(Problem::NotFound)?.split('/');
    let segment = segments.next();
    let kind = Kind::ALL.into_iter().find(|kind| Some(kind.segment()) == segment).ok_or(Problem::NotFound)?;
    let id = segments.next();
    if segments.next().is_some() {
        return Err(Problem::NotFound);
    }
    if id == Some("search") {
        let allowed = matches!(*method, Method::GET | Method::HEAD | Method::POST);
        let route = Route::Object(kind, Verb::Search, None);
        let methods = route.methods();
        return only(route, allowed, methods);
    }
    let verb = match *method {
        Method::GET | Method::HEAD => Verb::Retrieve,
        Method::POST => Verb::Create,
        Method::PUT => Verb::Update,
        Method::PATCH => Verb::Patch,
        Method::DELETE => Verb::Delete,
        _ => return Err(Problem::Method("GET, HEAD, POST, PUT, PATCH, DELETE")),
    };
    // What is no text is no id of anything.
    let id = id.map(|id| percent_decode_str(id).decode_utf8().map(std::borrow::Cow::into_owned)).transpose();
    Ok(Route::Object(kind, verb, id.map_err(|_| Problem::NotFound)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes() {
        let acl = |verb, id: Option<&str>| Ok(Route::Object(Kind::IpAcl, verb, id.map(str::to_owned)));
        let methods = || Err(Problem::Method("GET, HEAD, POST, PUT, PATCH, DELETE"));
        #[rustfmt::skip]
        let cases = [
            ("GET", "/healthz", Ok(Route::Healthz)),
            ("HEAD", "/readyz/", Ok(Route::Readyz)),
            ("POST", "/metrics", Err(Problem::Method("GET, HEAD"))),
            ("GET", "/api/explain", Err(Problem::Method("POST"))),
            ("POST", "/api/confirm", Ok(Route::Confirm)),
            ("GET", "/api/stats", Ok(Route::Stats)),
            ("HEAD", "/api/stats/", Ok(Route::Stats)),
            ("PUT", "/api/log", Ok(Route::Log)),
            ("POST", "/api/log", Err(Problem::Method("GET, HEAD, PUT"))),
            ("DELETE", "/api/stats", Err(Problem::Method("GET, HEAD"))),
            ("GET", "/api/ip-acl", acl(Verb::Retrieve, None)),
            ("POST", "/api/ip-acl/", acl(Verb::Create, None)),
            ("POST", "/api/ip-acl/x", acl(Verb::Create, Some("x"))),
            ("PUT", "/api/ip-acl/x", acl(Verb::Update, Some("x"))),
            ("PATCH", "/api/ip-acl/x", acl(Verb::Patch, Some("x"))),
            ("DELETE", "/api/ip-acl/x", acl(Verb::Delete, Some("x"))),
            ("GET", "/api/ip-acl/search", acl(Verb::Search, None)),
            ("POST", "/api/ip-acl/search", acl(Verb::Search, None)),
            ("PUT", "/api/ip-acl/search", Err(Problem::Method("GET, HEAD, POST"))),
            ("OPTIONS", "/api/ip-acl", methods()),
            ("GET", "/api/tenant/a%20b%2Fc", Ok(Route::Object(Kind::Tenant, Verb::Retrieve, Some("a b/c".to_owned())))),
            ("GET", "/api/tenant/%ff", Err(Problem::NotFound)),
            ("GET", "/api/ip-acl/x/y", Err(Problem::NotFound)),
            ("GET", "/api/ip-acls", Err(Problem::NotFound)),
            ("GET", "/api/", Err(Problem::NotFound)),
            ("GET", "/", Err(Problem::NotFound)),
            ("GET", "", Err(Problem::NotFound)),
            ("GET", "//healthz", Err(Problem::NotFound)),
        ];
        for (method, path, expected) in cases {
            assert_eq!(route(&method.parse().unwrap(), path), expected, "{method} {path}");
        }
    }
}
