//! What time it is for the virtual ranks. Matching never asks: a machine without a clock decides the same.

use crate::finding::Place;

/// How long things take.
pub(crate) trait Clock {
    /// A moment.
    type Moment: Copy + Default + Ord + std::fmt::Debug;

    /// A lane makes its next call.
    fn begin(&mut self, place: Place);
    /// A lane posts a send or a receive, or arrives at a collective: when that is.
    fn post(&mut self, place: Place) -> Self::Moment;
    /// When a message is delivered whose send and receive were posted at these moments: for the sender, and for the receiver.
    fn deliver(&mut self, sent: Self::Moment, received: Self::Moment, message: Travel) -> (Self::Moment, Self::Moment);
    /// When a member leaves a collective: it came at `own`, those that it waits for had all come at `latest`.
    fn gather(&mut self, own: Self::Moment, latest: Self::Moment, members: usize, bytes: u64) -> Self::Moment;
    /// A lane cannot go on before this moment.
    fn wait(&mut self, lane: u32, until: Self::Moment);
    /// The call of a lane returns.
    fn end(&mut self, place: Place);
}

/// A message on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Travel {
    /// Its length.
    pub(crate) bytes: u64,
    /// Whether the sender was free to go before the receive was posted.
    pub(crate) is_buffered: bool,
}

/// No clock at all.
#[derive(Debug, Default)]
pub(crate) struct Timeless;

impl Clock for Timeless {
    type Moment = ();

    fn begin(&mut self, _: Place) {}
    fn post(&mut self, _: Place) {}
    fn deliver(&mut self, (): (), (): (), _: Travel) -> ((), ()) {
        ((), ())
    }
    fn gather(&mut self, (): (), (): (), _: usize, _: u64) {}
    fn wait(&mut self, _: u32, (): ()) {}
    fn end(&mut self, _: Place) {}
}
