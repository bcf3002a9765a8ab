//! Findings: what is wrong or unwise in a configuration, each with a stable code, a place and a hint.
