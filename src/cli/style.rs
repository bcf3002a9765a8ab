//! The colours of reports. Written always; the stream takes them out where they are not wanted.

use anstyle::{AnsiColor, Style};

/// What went wrong.
pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// What may pass.
pub(super) const ALLOW: Style = AnsiColor::Green.on_default();
/// What may not.
pub(super) const BLOCK: Style = AnsiColor::Red.on_default();
/// Headings.
pub(super) const STRONG: Style = Style::new().bold();
/// What is only to be glanced at.
pub(super) const FAINT: Style = Style::new().dimmed();
