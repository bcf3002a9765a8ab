//! # Threat model
//!
//! **Assets.** The sign-on pages, APIs and tokens behind the gateway; API keys; the policy; the identity server's time.
//!
//! **Actors.** A *stranger* who can open connections; a *customer* with an account, an address that is allowed
//! somewhere, or a key that was stolen from an allowed place; a *neighbour* on the gateway's network; an *operator* who makes mistakes.
//! The upstream is trusted to be itself, not to read requests as we do.
//!
//! | action | of | answer | default that protects |
//! | --- | --- | --- | --- |
//! | names another client address | stranger | a forwarding header counts from trusted proxies alone; the upstream gets one that we wrote | `trusted_proxies = ["loopback", "private"]` |
//! | spells a path, name or body so that we and the upstream differ | stranger | every reading is matched ([`path`](crate::policy::path)); hints only close ([`hints`](super::hints)); what cannot be read is refused where a decision depends on it | always on |
//! | smuggles a second request | stranger | a strict scanner before the parser ([`strict_heads`](super::strict_heads)); what goes upstream is framed anew | always on |
//! | tries whether a key exists | customer | a blocked key is answered as an unknown one; in decoy mode by the upstream itself | `on_block = "respond"` |
//! | holds connections, floods, sends slowly | stranger | limits and time-outs, each with its answer; memory is bounded for each connection | `[server.limits]`, `[server.timeouts]` |
//! | keeps a stream open past a change of the policy | customer | it is judged again ([`live_requests`](super::live_requests)) | always on |
//! | replays a handshake | stranger | no early data is accepted; an address is believed once the handshake is done | always on |
//! | reads logs and metrics | neighbour | keys, tokens, codes and query values never get there | always on |
//! | uses the management API | neighbour | a listener of its own, keys that are kept as hashes, a throttle on wrong ones, ACLs for each key | absent unless configured |
//! | writes a policy that opens too much | operator | `check` refuses what is wrong and warns of what is unwise; `mode = "report"` shows effects first | warnings at start and reload |
//! | breaks the file, or the machine breaks while it is written | operator | the last good policy stays; files are written whole or not at all | always on |
//! | locks everybody out | operator | 409 unless forced; `confirmWithin` takes a change back by itself | the guard is on |
//!
//! # What the operator must do
//! * Let nobody reach the upstream beside the gateway: bind it to loopback, or close its network to everybody else.
//! * Let the edge overwrite the forwarding header, or append to it and set `select = "rightmost-untrusted"`.
//! * List as `trusted_proxies` the proxies and no others; a private network with clients in it is not a list of proxies.
//! * Guard the file and the admin keys: who can write one or holds the other decides.
//!
//! # What is not promised
//! Whoever sends from an allowed address passes; an IP ACL is one layer, not an identity. An upstream that maps a path by
//! the beginning of its text instead of whole segments, or that takes `/login.json` for `/login`, needs a prefix for that
//! spelling. Attacks on the kernel, on TLS and on the upstream itself are theirs to answer.
