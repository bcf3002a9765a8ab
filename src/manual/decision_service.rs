//! # Decisions for other proxies
//!
//! Where a proxy stands in front of the identity server already, it can ask aclgate whether a request may pass. A listener of
//! `[[decision]]` answers nginx's `auth_request`, Traefik's ForwardAuth, Caddy's `forward_auth` and Envoy's `ext_authz` over HTTP:
//! 200 if the request may pass, else the answer that the client is to get. The policy, the metrics and the logs are those of
//! the gateway.
//!
//! The proxy says which request it asks about, and from whom; `[client_ip] trusted_proxies` alone are believed, and everybody
//! else gets 403. So the proxy must **overwrite** the fields in which it says so, or a client would say it instead. The
//! configurations below do, and are run against real proxies by `tests/interop/decision`.
//!
//! A question is answered on the `[[decision]]` listeners alone, and these answer nothing else. The gateway itself keeps
//! listening on `[server] listen`, by default on loopback, with the same policy in front of `[upstream]`.
//!
//! ## nginx
//! ```toml
//! [[decision]]
//! dialect = "nginx"
//! listen = "127.0.0.1:9092"
//! ```
//! ```nginx
//! server {
//!     listen 80;
//!     server_name id.example;
//!     auth_request /.aclgate;             # for the whole server: a location that is forgotten would be open
//!     location / {
//!         proxy_pass http://127.0.0.1:9011;
//!         proxy_set_header Host $http_host;
//!         proxy_set_header X-Forwarded-For $remote_addr;
//!     }
//!     location = /.aclgate {
//!         internal;
//!         auth_request off;
//!         proxy_pass http://127.0.0.1:9092/;
//!         proxy_pass_request_body off;
//!         proxy_set_header Content-Length "";
//!         proxy_set_header Host aclgate;
//!         proxy_set_header X-Original-URI $request_uri;
//!         proxy_set_header X-Original-Method $request_method;
//!         proxy_set_header X-Original-Host $http_host;      # what goes upstream as Host
//!         proxy_set_header X-Forwarded-For $remote_addr;    # never $proxy_add_x_forwarded_for
//!         proxy_set_header X-Original-URL "";
//!         proxy_set_header X-Forwarded-Uri "";
//!         proxy_set_header X-Forwarded-Method "";
//!     }
//! }
//! ```
//! nginx knows 2xx, 401 and 403, and makes 500 of everything else: to it, every other refusal is 403. It shows a page of its own;
//! `error_page 403` says which. `proxy_pass` has no path behind the upstream's address, so that what was judged is what is
//! forwarded. ingress-nginx sends the whole URL: `uri_header = "X-Original-URL"`, and no `host_header` is needed.
//!
//! ## Caddy
//! ```toml
//! [[decision]]
//! dialect = "caddy"
//! listen = "127.0.0.1:9092"
//! ```
//! ```caddyfile
//! id.example {
//!     request_header -X-Original-*
//!     forward_auth 127.0.0.1:9092 {
//!         uri /
//!     }
//!     reverse_proxy 127.0.0.1:9011
//! }
//! ```
//! Caddy overwrites `X-Forwarded-Method` and `X-Forwarded-Uri`, and, as long as it has no `trusted_proxies` of its own,
//! `X-Forwarded-For` and `X-Forwarded-Host` too. Behind another proxy, name that in Caddy's `servers { trusted_proxies … }` and
//! here set `select = "rightmost-untrusted"`. Matchers and `handle` in front of `forward_auth` decide what is asked about at all.
//!
//! ## Envoy
//! ```toml
//! [client_ip]
//! header = "X-Real-IP"
//!
//! [[decision]]
//! dialect = "envoy"
//! listen = "127.0.0.1:9092"
//! path_prefix = "/decide"
//! ```
//! ```yaml
//! - name: envoy.filters.http.ext_authz
//!   typed_config:
//!     "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
//!     transport_api_version: V3
//!     failure_mode_allow: false
//!     allowed_headers: { patterns: [ { safe_regex: { regex: ".*" } } ] }   # every field may name a tenant or carry a key
//!     with_request_body: { max_request_bytes: 65536, allow_partial_message: true }
//!     http_service:
//!       server_uri: { uri: "http://127.0.0.1:9092", cluster: aclgate, timeout: 2s }
//!       path_prefix: /decide
//!       authorization_request:
//!         headers_to_add:                                                  # overwrites what the client sent
//!         - { key: x-real-ip, value: "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%" }
//! ```
//! Envoy asks with the original method, host and path. Without `allowed_headers` it sends a handful of fields alone: a tenant that
//! is named in `X-FusionAuth-TenantId`, or a key in a header of yours, would not be seen. It is the one that sends bodies by
//! itself; of one that is larger than `max_request_bytes` it sends the beginning and says so, and then it counts as not sent.
//! `DIRECT` is the peer of Envoy. `DOWNSTREAM_REMOTE_ADDRESS` without it is what the client writes into `X-Forwarded-For`, unless the
//! connection manager has `use_remote_address: true`; behind another proxy take it, with `xff_num_trusted_hops`.
//! Put `ext_authz` before every filter that changes path or headers, and change neither in the route.
//!
//! ## Traefik
//! ```toml
//! [[decision]]
//! dialect = "traefik"
//! listen = "127.0.0.1:9092"
//! ```
//! ```yaml
//! http:
//!   middlewares:
//!     aclgate:
//!       forwardAuth:
//!         address: "http://127.0.0.1:9092/"
//!         trustForwardHeader: false      # the default: the fields of the client are overwritten
//!         forwardBody: true              # Traefik 3.3 and later
//!         maxBodySize: 65536
//! ```
//! Leave `authRequestHeaders` out: every field may name a tenant or carry a key. Put the middleware before those that change the
//! path. (This one is written from Traefik's documentation; the others were run.)
//!
//! ## What is different from the gateway
//! * **Bodies.** nginx and Caddy keep them for themselves. Where a body could lead to a block of this address (a login or token
//!   request, and some application, tenant or resource server blocks it), the request is refused unread, with 415 (nginx: 403).
//!   `aclgate check` warns of it. As having no body count GET, HEAD, OPTIONS, TRACE and DELETE without `Content-Type` and
//!   `Content-Encoding`, so do not strip these. Where clients inside must post logins from addresses that others block, put the
//!   gateway itself in front, or ask from Envoy.
//! * **Decoys.** The proxy forwards the request, so there is nothing to disguise: a blocked key gets 401.
//! * **Streams.** A change of the policy holds for the next request; a WebSocket or a response that the proxy has opened stays.
//! * **The proxy reads, too.** What is judged is what the proxy says that it received. Its own normalisation, rewrites and
//!   location matching come before or after, and are its own.
//!
//! ## Decisions
//! **Context.** Subrequest protocols carry the original request in fields that clients can send as well, and every proxy has
//! names of its own for them.
//!
//! **Decision.** A listener reads the fields of one dialect, each exactly once; a missing, empty or repeated one is 403. What other
//! dialects would read must say the same: a listener with the wrong dialect then refuses instead of believing the client.
//! No address in the header is 403 as well: the peer is the proxy, not a client. The decision itself is
//! [`Gateway::judge`](crate::gateway::Gateway::judge), the path of every request but for the forwarding.
//!
//! **Consequences.** A chain of proxies that tell different targets under different names is refused until the inner one removes
//! what the outer one said.
//!
//! **Rejected.** Guessing the dialect from the fields: then the client chooses it. Taking an unseen body for none, by a setting: the
//! token rule would be a comment. gRPC: the HTTP form says the same.
