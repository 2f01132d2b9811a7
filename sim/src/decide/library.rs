//! What an MPI library may do, as far as the standard leaves it free.

use crate::Buffering;
use crate::program::Mode;

/// When a standard send may return before its message is received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sends {
    /// Never.
    Wait,
    /// If it has at most so many bytes; then it does.
    Eager(u64),
    /// Always; and it does.
    Return,
    /// Each as it likes.
    Free,
}

/// When a member of a collective may go on before all have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Members {
    /// Never.
    Wait,
    /// When it has the data that it needs; then it does.
    Go,
    /// Each as it likes, once it has the data that it needs.
    Free,
}

/// A library, or all of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Library {
    pub(crate) sends: Sends,
    pub(crate) members: Members,
}

impl Library {
    /// Any library that the standard allows.
    pub(crate) const ANY: Library = Library { sends: Sends::Free, members: Members::Free };
    /// One that buffers everything.
    pub(crate) const INFINITE: Library = Library { sends: Sends::Return, members: Members::Go };
    /// One that buffers nothing and whose collectives wait for everybody.
    pub(crate) const ZERO: Library = Library { sends: Sends::Wait, members: Members::Wait };
    /// One that buffers what it likes: what gets stuck then, needs buffering and nothing else.
    pub(crate) const UNSURE: Library = Library { sends: Sends::Free, members: Members::Go };

    /// The library that `--buffering` names.
    pub(crate) fn of(buffering: Buffering) -> Library {
        match buffering {
            Buffering::Zero => Library::ZERO,
            Buffering::Infinite => Library::INFINITE,
            Buffering::Eager(bytes) => Library { sends: Sends::Eager(bytes), members: Members::Go },
            Buffering::Any => Library::ANY,
        }
    }

    /// Whether a send returns only after its message is received.
    pub(crate) fn holds(self, mode: Mode, bytes: u64) -> bool {
        match (mode, self.sends) {
            (Mode::Synchronous, _) => true,
            (Mode::Standard, Sends::Wait) => true,
            (Mode::Standard, Sends::Eager(limit)) => bytes > limit,
            _ => false,
        }
    }
}
