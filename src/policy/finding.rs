//! Findings: what is wrong or unwise in a configuration, each with a stable code, a place and a hint.

/// Stub.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    errors: Vec<String>,
}

impl Findings {
    /// Stub.
    pub fn error(text: impl Into<String>) -> Self {
        Self { errors: vec![text.into()] }
    }
    /// Stub.
    pub fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }
    /// Stub.
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }
    /// Stub.
    pub fn render(&self, _colour: bool) -> String {
        self.errors.iter().map(|error| format!("error: {error}\n")).collect()
    }
}
