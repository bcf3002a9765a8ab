//! What is known of identity servers: their sign-on pages, token endpoints, and what they leave open to loopback.
//!
//! The manual's reference has them in a table that is made of this.
//!
//! Keycloak's token endpoint is `/realms/{realm}/protocol/openid-connect/token`. As a prefix has no variable part, every
//! path under `/realms/` counts as one: wider, and still only for client-credentials requests that name a listed
//! resource server.

/// `[policy] preset`
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Preset {
    /// FusionAuth.
    #[default]
    FusionAuth,
    /// Keycloak: the realm is the tenant.
    Keycloak,
    /// Ory Kratos and Hydra.
    Ory,
    /// Auth0 and what speaks its dialect: JSON bodies name applications.
    Auth0,
    /// Nothing but what every preset has.
    None,
}

/// Sign-on pages under every preset.
pub const SSO_PATHS: &[&str] = &["/oauth2/", "/account/", "/email/", "/password/", "/registration/"];
/// Token endpoints under every preset.
pub const TOKEN_PATHS: &[&str] = &["/oauth2/token", "/oauth/token"];
/// Never a sign-on page: the admin UI and the API.
pub const EXEMPT_PATHS: &[&str] = &["/admin/", "/api/"];
/// Names a tenant under every preset; in lower case.
pub const TENANT_HEADER: &str = "x-fusionauth-tenantid";
/// The user of `Authorization: Basic` whose password is an API key.
pub const BASIC_USER: &str = "apikey";

impl Preset {
    /// The words of the file.
    pub const WORDS: &[(&str, Self)] = &[
        ("fusionauth", Self::FusionAuth),
        ("keycloak", Self::Keycloak),
        ("ory", Self::Ory),
        ("auth0", Self::Auth0),
        ("none", Self::None),
    ];

    /// Sign-on pages beside [`SSO_PATHS`].
    pub fn sso_paths(self) -> &'static [&'static str] {
        match self {
            Self::FusionAuth => &["/phone/", "/samlv2/logout", "/confirmation-required"],
            Self::Keycloak => &["/realms/"],
            Self::Ory => &["/self-service/", "/sessions/"],
            Self::Auth0 => &[
                "/authorize",
                "/login",
                "/logout",
                "/u/",
                "/oauth/",
                "/passwordless/",
                "/dbconnections/",
                "/mfa/",
                "/samlp/",
                "/wsfed/",
            ],
            Self::None => &[],
        }
    }

    /// Token endpoints beside [`TOKEN_PATHS`].
    pub fn token_paths(self) -> &'static [&'static str] {
        match self {
            Self::Keycloak => &["/realms/"],
            Self::FusionAuth | Self::Ory | Self::Auth0 | Self::None => &[],
        }
    }

    /// Patterns of paths that name a tenant.
    pub fn tenant_paths(self) -> &'static [&'static str] {
        match self {
            Self::Keycloak => &["/realms/{tenant}/"],
            Self::FusionAuth | Self::Ory | Self::Auth0 | Self::None => &[],
        }
    }

    /// Paths that the server leaves open to clients on loopback.
    pub fn loopback_paths(self) -> &'static [&'static str] {
        match self {
            Self::FusionAuth => &["/api/status", "/api/prometheus/metrics"],
            Self::Keycloak | Self::Ory | Self::Auth0 | Self::None => &[],
        }
    }

    /// Whether JSON bodies are a naming place.
    pub fn json_names(self) -> bool {
        self == Self::Auth0
    }
}
