//! A client of a running gateway's management API: which gateway, with which key → JSON.
//!
//! The gateway is named by `--url`, or is the one that runs on a file. The key is never an argument: arguments show in
//! process lists and shell histories. It comes from a file, from the environment, or is asked for. Deliberately absent:
//! redirects, proxies, a switch that turns verification off.

use super::CliError;
use crate::config::Admin;
use crate::store::Loader;
use crate::upstream::one_shot;
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, Uri, header};
use serde::de::DeserializeOwned;
use std::fmt;
use std::io::{self, IsTerminal};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Where the key stands if it is not in a file.
const KEY_VARIABLE: &str = "ACLGATE_ADMIN_KEY";
/// The longest that a question may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which gateway, and who asks.
#[derive(Debug, clap::Args)]
pub struct Gateway {
    /// The file that the gateway runs on; its `[admin] listen` says where to ask.
    #[arg(short, long, value_name = "FILE", default_value = super::DEFAULT_CONFIG)]
    config: PathBuf,
    /// Where the management API listens, instead of what the file says.
    #[arg(long, value_name = "URL")]
    url: Option<Uri>,
    /// A file that holds an admin key; without it, the key is taken from ACLGATE_ADMIN_KEY, or asked for.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The CA of an https management API, as PEM; the system's roots if absent.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// A gateway that can be asked.
pub struct Client {
    origin: Uri,
    key: HeaderValue,
    ca: Option<PathBuf>,
}

/// Without the key.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Gateway {
    /// Finds the gateway and the key.
    ///
    /// # Errors
    /// There is no management API, no such file, or no key.
    pub fn client(&self) -> Result<Client, CliError> {
        let origin = match &self.url {
            Some(url) => url.clone(),
            None => {
                let candidate = Loader::new(&self.config).load()?;
                let admin = candidate.config.admin.as_ref().ok_or_else(|| {
                    input(self.config.display(), "there is no `[admin]`, so there is nobody to ask")
                })?;
                origin(admin).ok_or_else(|| input(&admin.listen, "no address that can be asked"))?
            }
        };
        if origin.host().is_none() || !matches!(origin.scheme_str(), Some("http" | "https")) {
            return Err(CliError::Argument("--url needs a scheme and a host, like `https://127.0.0.1:9091`"));
        }
        Ok(Client { origin, key: self.key()?, ca: self.ca.clone() })
    }

    fn key(&self) -> Result<HeaderValue, CliError> {
        let (source, text) = if let Some(path) = &self.key_file {
            let read = std::fs::read_to_string(path);
            let text = read.map_err(|source| CliError::Read { path: path.clone(), source })?;
            (path.display().to_string(), text)
        } else if let Ok(text) = std::env::var(KEY_VARIABLE) {
            (KEY_VARIABLE.to_owned(), text)
        } else if io::stdin().is_terminal() {
            let text = rpassword::prompt_password("Admin key (not shown): ")?;
            ("standard input".to_owned(), text)
        } else {
            return Err(CliError::Argument("an admin key is needed: --key-file FILE, or ACLGATE_ADMIN_KEY"));
        };
        let key = text.trim_end_matches(['\r', '\n']);
        let value = HeaderValue::from_str(key).ok().filter(|_| !key.is_empty());
        let mut value = value.ok_or_else(|| input(source, "this is no admin key"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// Where a file's own management listener is asked; one on every address at the loopback address.
pub(super) fn origin(admin: &Admin) -> Option<Uri> {
    let scheme = if admin.tls.is_some() { "https" } else { "http" };
    let authority = match admin.listen.parse::<SocketAddr>() {
        Ok(mut address) if address.ip().is_unspecified() => {
            address.set_ip(match address {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
            address.to_string()
        }
        _ => admin.listen.clone(),
    };
    format!("{scheme}://{authority}/").parse().ok()
}

impl Client {
    /// What is at a path. Blocks.
    ///
    /// # Errors
    /// The gateway cannot be reached, or does not answer with this.
    pub fn get<T: DeserializeOwned>(&self, target: &str) -> Result<T, CliError> {
        let failed = |message: String| input(&self.origin, message);
        let request = Request::get(target).header(header::AUTHORIZATION, self.key.clone());
        let request = request.body(Bytes::new()).map_err(io::Error::other)?;
        let answered = one_shot(&self.origin, self.ca.as_deref(), request, PATIENCE);
        let (parts, body) = answered.map_err(|error| failed(error.to_string()))?.into_parts();
        match parts.status {
            StatusCode::OK => serde_json::from_slice(&body).map_err(|error| failed(error.to_string())),
            StatusCode::UNAUTHORIZED => Err(failed("the key is not admitted".to_owned())),
            StatusCode::NOT_FOUND => Err(failed("this is no management API, or an older one".to_owned())),
            status => Err(failed(format!("{status} {}", String::from_utf8_lossy(&body)))),
        }
    }
}

fn input(path: impl fmt::Display, message: impl Into<String>) -> CliError {
    CliError::Input { path: path.to_string(), message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_at(listen: &str) -> String {
        let admin = Admin { listen: listen.to_owned(), tls: None, api_keys: Vec::new(), audit_log: None };
        origin(&admin).unwrap().to_string()
    }

    #[test]
    fn a_listener_on_every_address_is_asked_on_loopback() {
        assert_eq!(asked_at("0.0.0.0:9091"), "http://127.0.0.1:9091/");
        assert_eq!(asked_at("[::]:9091"), "http://[::1]:9091/");
        assert_eq!(asked_at("10.0.0.1:9091"), "http://10.0.0.1:9091/");
        assert_eq!(asked_at("admin.example:9091"), "http://admin.example:9091/");
    }
}
