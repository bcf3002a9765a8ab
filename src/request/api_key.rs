//! API keys in a request: where they stand, which of them the policy lists, and the decoy.
