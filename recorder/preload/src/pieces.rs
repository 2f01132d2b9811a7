//! Which data a call has moved: what it received itself, what its requests have, what it fetched from windows and files.
//!
//! FORMAT.md says in which order a call's words follow from this.

use traces::Kind;

use crate::contents::Content;
use crate::handles::{self, Handles};
use crate::payload::Since;
use crate::requests::{Operation, Request};
use crate::results::Reader;
use crate::shape::Role;

/// Data that was sent or received.
#[derive(Debug)]
pub struct Piece {
    /// Where it lies.
    pub content: Content,
    /// How many bytes it is, where a status tells it.
    pub bytes: Option<u64>,
    /// Since when it is in use.
    pub since: Since,
    /// Which word its digest becomes.
    pub word: Word,
}

/// What becomes of a digest.
#[derive(Clone, Copy, Debug)]
pub enum Word {
    /// A word of the call.
    Always,
    /// A word, which is marked in the status of this number.
    Fetched { row: usize },
    /// The same, if it differs from that of when the send was started.
    IfChanged { row: usize, started: u64 },
}

impl Reader<'_> {
    /// What has been received or begun to be sent, beside what is sent by the call itself.
    pub fn pieces(&self, completed: &[usize], handles: &mut Handles, into: &mut Vec<Piece>) {
        match self.shape.role {
            Role::None if self.shape.receives.is_some() => into.push(Piece {
                content: self.arguments.received.clone(),
                bytes: self.bytes_of(0),
                since: Since::Now,
                word: Word::Always,
            }),
            Role::Starts => self.started_pieces(handles, into),
            Role::CompletesAll | Role::CompletesAny(_) | Role::CompletesSome(..) => {
                let rows = completed.iter().enumerate();
                into.extend(rows.filter_map(|(row, &position)| self.completed_piece(row, position, handles)));
            }
            Role::Fetches => {
                let from = self.shape.function.parameter("target_rank").map(|at| self.abi.rank(self.a[at] as i32));
                if let Some(of) = self.window_or_file() {
                    handles.fetches.add(of, from, self.arguments.received.clone());
                }
            }
            Role::CompletesFetches(from) => {
                let from = from.map(|at| self.abi.rank(self.a[at] as i32));
                let bytes = self.bytes_of(0);
                if let Some(of) = self.window_or_file() {
                    let piece = |content| Piece { content, bytes, since: Since::Earlier, word: Word::Always };
                    handles.fetches.complete(of, from, |content| into.push(piece(content)));
                }
            }
            Role::None | Role::Makes(..) | Role::Looks | Role::Frees => {}
        }
    }

    /// The window or the file that the call is about.
    fn window_or_file(&self) -> Option<(Kind, u64)> {
        let at = self.shape.parameters.iter().position(|step| matches!(step.kind, Kind::Win | Kind::File))?;
        let kind = self.shape.parameters[at].kind;
        Some((kind, self.abi.handle(kind, self.a[at])))
    }

    fn started_pieces(&self, handles: &Handles, into: &mut Vec<Piece>) {
        for named in &self.arguments.requests {
            let content = match handles.requests.get(named) {
                Some(Request { operation: Operation::Send, payload, .. }) => Content::of(*payload),
                Some(Request { operation: Operation::Fetch, .. }) => {
                    handles.requests.fetch(named).map(|fetch| fetch.sent.clone()).unwrap_or_default()
                }
                _ => continue,
            };
            into.push(Piece { content, bytes: None, since: Since::Now, word: Word::Always });
        }
    }

    /// Notes what the sends that were started have sent, by the digests of [`Reader::started_pieces`].
    pub fn note_started(&self, digests: &[u64]) {
        handles::with(|handles| {
            let mut digests = digests.iter();
            for named in &self.arguments.requests {
                let operation = handles.requests.get(named).map(|request| request.operation);
                if let Some(Operation::Send | Operation::Fetch) = operation
                    && let Some(&digest) = digests.next()
                {
                    handles.requests.note_started(named, digest);
                }
            }
        });
    }

    fn completed_piece(&self, row: usize, position: usize, handles: &Handles) -> Option<Piece> {
        let named = self.arguments.requests.get(position)?;
        let request = handles.requests.get(named)?;
        let since = Since::Earlier;
        match request.operation {
            Operation::Receive => {
                let bytes = if self.is_cancelled(row) { Some(0) } else { self.bytes_of(row) };
                Some(Piece { content: Content::of(request.payload), bytes, since, word: Word::Always })
            }
            Operation::Send => {
                let started = handles.requests.started(named).filter(|_| !self.is_cancelled(row))?;
                let word = Word::IfChanged { row, started };
                Some(Piece { content: Content::of(request.payload), bytes: None, since, word })
            }
            Operation::Fetch => {
                let fetch = handles.requests.fetch(named)?;
                let bytes = if fetch.is_counted { self.bytes_of(row) } else { None };
                Some(Piece { content: fetch.received.clone(), bytes, since, word: Word::Fetched { row } })
            }
            Operation::Other => None,
        }
    }

    /// A call on requests has failed: which of them are complete is not known.
    #[cold]
    pub fn doubt(&self, handles: &mut Handles) {
        if matches!(self.shape.role, Role::CompletesAll | Role::CompletesAny(_) | Role::CompletesSome(..)) {
            handles.requests.doubt();
        }
    }

    /// Whether the `nth` status says that the operation was cancelled.
    fn is_cancelled(&self, nth: usize) -> bool {
        let at = self.shape.statuses.filter(|&at| self.a[at] != self.abi.status_ignore);
        // SAFETY: the library has filled one status for each completed operation.
        at.is_some_and(|at| unsafe { self.abi.status_at(self.a[at], nth) }.cancelled)
    }

    /// The bytes that the `nth` status says were received.
    pub fn bytes_of(&self, nth: usize) -> Option<u64> {
        let at = self.shape.statuses.filter(|&at| self.a[at] != self.abi.status_ignore)?;
        // SAFETY: the library has filled one status for each completed operation.
        u64::try_from(unsafe { self.abi.status_at(self.a[at], nth) }.bytes).ok()
    }
}
