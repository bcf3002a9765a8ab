//! The example policy and the requests that show it.

use super::super::stand_in::API_KEY;
use crate::explain::{Client, Question, QuestionError};
use crate::policy::subject::ApiKeyHash;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The application of the example.
const BACK_OFFICE: &str = "85a03867-dccf-4882-adde-1a79aeec50df";
/// Its resource server, as a form value.
const AUDIENCE: &str = "https%3A%2F%2Facme.example%2Fapi%2F";

/// A request of the tour.
#[derive(Debug)]
pub(super) struct Stop {
    /// What it shows.
    pub(super) title: &'static str,
    /// What `X-Forwarded-For` says.
    pub(super) client: &'static str,
    /// The method.
    pub(super) method: &'static str,
    /// The target; `{app}` stands for the application's id.
    target: &'static str,
    /// What else is sent.
    extra: Extra,
    /// The status that is expected.
    pub(super) status: u16,
}

#[derive(Debug)]
enum Extra {
    Nothing,
    ApiKey(&'static str),
    ClientCredentials,
}

const fn stop(title: &'static str, client: &'static str, target: &'static str, status: u16) -> Stop {
    Stop { title, client, method: "GET", target, extra: Extra::Nothing, status }
}

const fn with_key(mut stop: Stop, key: &'static str) -> Stop {
    stop.extra = Extra::ApiKey(key);
    stop
}

const fn for_token(mut stop: Stop) -> Stop {
    stop.method = "POST";
    stop.extra = Extra::ClientCredentials;
    stop
}

/// The tour.
pub(super) const STOPS: &[Stop] = &[
    stop("anybody may sign on", "192.0.2.10", "/oauth2/authorize", 200),
    stop("but not from a blocked range", "203.0.113.9", "/oauth2/authorize", 403),
    stop(
        "the application's ACL comes before its tenant's",
        "192.0.2.10",
        "/oauth2/authorize?client_id={app}",
        403,
    ),
    stop("the office may", "198.51.100.7", "/oauth2/authorize?client_id={app}", 200),
    stop("the narrowest range wins", "198.51.100.66", "/oauth2/authorize?client_id={app}", 403),
    stop("the path in disguise", "192.0.2.10", "/x/..//%6Fauth2/authorize;a=b?client_id={app}", 403),
    stop("an address that cannot be determined", "unknown", "/oauth2/authorize", 403),
    with_key(
        stop("an API key from elsewhere looks like a wrong one", "192.0.2.10", "/api/user", 401),
        API_KEY,
    ),
    with_key(stop("from the office it works", "198.51.100.7", "/api/user", 200), API_KEY),
    with_key(
        stop("unknown keys are the upstream's business", "192.0.2.10", "/api/user", 401),
        "some-other-key",
    ),
    for_token(stop("no token for the API from elsewhere", "192.0.2.10", "/oauth2/token", 400)),
    for_token(stop("from the office there is one", "198.51.100.7", "/oauth2/token", 200)),
    stop("the management API has a path rule", "192.0.2.10", "/api/v2/users", 403),
    stop("the admin UI is never closed", "203.0.113.9", "/admin/", 200),
];

impl Stop {
    /// The request as the gateway gets it: from loopback, which it believes.
    pub(super) fn question(&self) -> Result<Question, QuestionError> {
        let question = Question::new(Client::Behind(IpAddr::V4(Ipv4Addr::LOCALHOST)))
            .with_method(self.method)?
            .with_target(&self.target.replace("{app}", BACK_OFFICE))?
            .with_header("X-Forwarded-For", self.client)?;
        match self.extra {
            Extra::Nothing => Ok(question),
            Extra::ApiKey(key) => question.with_header("Authorization", key),
            Extra::ClientCredentials => {
                let form = format!("grant_type=client_credentials&audience={AUDIENCE}");
                let question = question.with_header("Content-Type", "application/x-www-form-urlencoded")?;
                Ok(question.with_body(form))
            }
        }
    }

    /// The target, short enough for a table.
    pub(super) fn shown(&self) -> String {
        self.target.replace("{app}", "back-office")
    }
}

/// The example policy.
pub(super) fn policy(upstream: SocketAddr) -> String {
    let mut sha256 = String::with_capacity(64);
    for byte in ApiKeyHash::of(API_KEY.as_bytes()).as_bytes() {
        // Writing to a string cannot fail.
        let _ = write!(sha256, "{byte:02x}");
    }
    format!(
        r#"# The example of `aclgate demo`. Change it while the demo is running.

[server]
listen = ["127.0.0.1:0"]

[upstream]
url = "http://{upstream}"

[[ip_acl]]
name = "office-only"
default = "block"
allow = ["198.51.100.0/24", "2001:db8:1::/48"]
block = ["198.51.100.66"]

[[ip_acl]]
name = "no-abusers"
default = "allow"
block = ["203.0.113.0/24"]

[[api_key]]
name = "ci"
sha256 = "{sha256}"
ip_acl = "office-only"

[[tenant]]
id = "d7d09513-a3f5-401c-9685-34ab6c552453"
name = "acme"
default = true
ip_acl = "no-abusers"

[[application]]
id = "{BACK_OFFICE}"
name = "back-office"
tenant = "acme"
ip_acl = "office-only"

[[resource_server]]
identifier = "https://acme.example/api/"
name = "acme API"
ip_acl = "office-only"

[[path]]
prefix = "/api/v2/"
ip_acl = "office-only"
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;
    use crate::policy::NoFiles;
    use crate::policy::moment::Moment;

    #[test]
    fn every_stop_is_a_request() {
        for stop in STOPS {
            stop.question().unwrap();
        }
    }

    #[test]
    fn the_example_is_valid() {
        let text = policy(SocketAddr::from(([127, 0, 0, 1], 1)));
        let outcome = load(&text, "gateway.toml", &NoFiles, Moment::FIRST);
        assert!(
            !outcome.findings.has_errors() && outcome.loaded.is_some(),
            "{}",
            outcome.findings.render(false)
        );
    }
}
