//! # What a new policy does to requests that are under way
//!
//! **Context.** A request obeys the policy of the moment it begins. A WebSocket or an endless stream never ends by
//! itself, and an address that was blocked must not keep it for days.
//!
//! **Decision.** A tunnel is decided on again at every change, a response that is still streaming once it has lasted
//! longer than [`GRACE`](crate::gateway::live::GRACE); what the new policy would block is closed at once. What the request said is
//! judged again whole: its head, the address resolved by the new settings, and its body where the first decision
//! read it. Where only the new policy would need the body, the fact is missing and the stream is closed.
//!
//! **Consequences.** An ordinary answer that happens to be on its way during a reload is never cut. A response keeps its
//! request's head as long as it streams.
//!
//! **Rejected.** Cutting everything at a reload (a reload would lose requests); leaving everything be (a block would not
//! take effect); keeping only the subjects that were tested (a new policy may test others).
