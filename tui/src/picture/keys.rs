//! Keys as text: a character each, and those that have none by name, `ff<Down><Enter>`.

use std::fmt;
use std::str::FromStr;

use ratatui::crossterm::event::KeyCode;

/// The names, as Vim has them.
const NAMES: [(&str, KeyCode); 13] = [
    ("Enter", KeyCode::Enter),
    ("Tab", KeyCode::Tab),
    ("Esc", KeyCode::Esc),
    ("Space", KeyCode::Char(' ')),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("lt", KeyCode::Char('<')),
];

/// Keys to press one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys(pub(super) Vec<KeyCode>);

/// A key that there is not, or that means nothing where it is pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadKey {
    /// There is no key of this name.
    Unknown(String),
    /// It means nothing where it is pressed.
    Idle(String),
}

impl std::error::Error for BadKey {}

impl fmt::Display for BadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadKey::Unknown(name) => {
                let names = NAMES.map(|(name, _)| format!("<{name}>")).join(" ");
                write!(f, "there is no key <{name}>, but {names}; other keys are their characters")
            }
            BadKey::Idle(key) => write!(f, "the key {key} does nothing there; ? lists the keys"),
        }
    }
}

impl FromStr for Keys {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Keys, BadKey> {
        let mut keys = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            rest = &rest[first.len_utf8()..];
            keys.push(match first {
                '\n' => KeyCode::Enter,
                '\t' => KeyCode::Tab,
                '<' => {
                    let (name, after) = rest.split_once('>').ok_or_else(|| BadKey::Unknown(rest.to_owned()))?;
                    rest = after;
                    let named = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
                    named.ok_or_else(|| BadKey::Unknown(name.to_owned()))?.1
                }
                character => KeyCode::Char(character),
            });
        }
        Ok(Keys(keys))
    }
}

/// A key as [`Keys`] are written.
pub(super) fn name(key: KeyCode) -> String {
    let named = NAMES.iter().find(|(_, code)| *code == key).map(|(name, _)| format!("<{name}>"));
    named.unwrap_or_else(|| key.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_characters_or_have_names() {
        let keys: Keys = "f<down><Enter><lt>\n".parse().unwrap();
        assert_eq!(keys.0, [KeyCode::Char('f'), KeyCode::Down, KeyCode::Enter, KeyCode::Char('<'), KeyCode::Enter]);
        for wrong in ["<Dwon>", "<Down", "<>"] {
            assert!(wrong.parse::<Keys>().unwrap_err().to_string().contains("<Down>"), "{wrong}");
        }
        assert_eq!([name(KeyCode::Down), name(KeyCode::Char('y'))], ["<Down>", "y"]);
    }
}
