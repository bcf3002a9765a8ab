//! # Why a forged hint can only close a door
//!
//! **Context.** A request names applications and tenants in places that the protocol defines (the query's
//! `client_id`) and in places where some upstream looks and another does not (a JSON body, a JWT, `Client_Id`). A gateway that
//! believes too few of them is passed by; one that believes too many lets a client choose the most lenient ACL.
//!
//! **Decision.** Two kinds of places. Every candidate of either kind adds its ACL, and all must allow. Only *naming
//! places* can take an ACL away, in two cases: the default tenant's, where they name exactly one application and
//! the policy lists it (or no application at all and exactly one listed tenant); and a tenant's own, where they name one of its
//! applications and nothing that the policy does not list.
//!
//! **Consequences.** A link with `client_id` and `tenantId` is judged by its application alone. A tenant that comes
//! with an application which only a hint names is still tested: otherwise a `client_id` in a JSON body that nobody
//! reads would lift the ACL of the tenant in the query. A value that differs from a listed id in case or blanks counts
//! as unlisted in its naming place and as a hint for the listed one: whichever way the upstream reads it, the ACL
//! that holds then is among those tested.
//!
//! A body or a path parameter that names an application which the policy does not list keeps the default tenant's ACL in
//! force, whatever the query names: an upstream may read either. Claims of tokens do not: an audience is often no
//! application at all.
//!
//! **Rejected.** One list of candidates without kinds (a hint could open); the naming places alone (an upstream that
//! looks elsewhere is passed by); asking the upstream (it would have to be asked before the decision).
