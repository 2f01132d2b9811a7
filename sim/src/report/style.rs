//! How a text report looks: its width, and its colours if it may have any.

/// How a text report is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether ANSI colours are wanted. Nothing is told by colour alone.
    pub color: bool,
    /// The columns that a line may have.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Style {
        Style { color: false, width: 100 }
    }
}

/// What a piece of text is, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Error,
    Warning,
    Note,
    Help,
    Good,
    /// Line numbers, arrows and rules.
    Frame,
    /// Labels that are not the primary ones.
    Secondary,
    /// What is read first.
    Title,
}

impl Style {
    /// The text, coloured if colours are wanted.
    pub(super) fn paint(&self, role: Role, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let code = match role {
            Role::Error => "1;31",
            Role::Warning => "1;33",
            Role::Note => "1;36",
            Role::Help | Role::Good => "1;32",
            Role::Frame | Role::Secondary => "1;34",
            Role::Title => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// A title, as what is read first.
    #[must_use]
    pub fn title(&self, text: &str) -> String {
        self.paint(Role::Title, text)
    }

    /// The columns that are left after `used` of them; never too few to be read.
    pub(super) fn rest(&self, used: usize) -> usize {
        self.width.saturating_sub(used).max(24)
    }
}
