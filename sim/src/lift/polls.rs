//! Lanes that end in a loop of polls: MPI_Test or MPI_Iprobe again and again, until the run was stopped.
//!
//! Such a loop waits like the blocking call, and is taken for it. Programs also poll once in a while as they compute, to let the library work:
//! only a loop that does nothing else counts, which is told by how often and how fast it polled, up to the end.

use traces::function::mpi;
use traces::{Event, Lane};

use super::Lifter;
use super::arguments::Arguments;
use super::completions::given;
use crate::program::{Op, OpId, Until};

/// So many polls in a row that found nothing,
const POLLS_MIN: u64 = 10_000;
/// with no more than this between them: nobody computes much in that time.
const PACE_MAX_NS: u64 = 50_000;

impl Lifter<'_> {
    /// Makes the last step of a lane that ends in a loop of polls a call that waits. Gives whether it is one.
    pub(super) fn polls_at_end(&mut self, lane: &Lane, steps: &mut [OpId]) -> bool {
        let Some((poll, is_in_flight)) = last_poll(lane) else { return false };
        let polls = lane.words_of(poll).first().copied().unwrap_or(0);
        let lasted_ns = self.trace.end_ns().saturating_sub(poll.end_ns());
        let is_loop = polls >= POLLS_MIN && poll.duration_ns / polls <= PACE_MAX_NS;
        if !is_loop || !(is_in_flight || lasted_ns <= poll.duration_ns) {
            return false;
        }
        let outcome = poll.outcome.map(|o| self.trace.outcome(o));
        let a = Arguments { call: self.trace.call(poll.call), outcome };
        let (Some(op), Some(last)) = (self.waiting_form(&a), steps.last_mut()) else { return false };
        *last = self.op(op);
        true
    }

    /// The call that waits for what a poll asks for, if this is a poll that found nothing.
    fn waiting_form(&mut self, a: &Arguments) -> Option<Op> {
        if a.failed() {
            return None;
        }
        let until = match a.function() {
            mpi::IPROBE | mpi::IMPROBE if !a.flag() => {
                let receive = self.receive(a, ["source", "tag", "", ""]);
                return Some(Op::Probe { receive, take: None, poll: false });
            }
            mpi::WIN_TEST if !a.flag() => return self.waiting_test(a),
            mpi::TEST | mpi::TESTALL if !a.flag() => Until::All,
            mpi::TESTANY if !a.flag() => Until::Any,
            mpi::TESTSOME if a.result("outcount").int() == Some(0) => Until::Any,
            _ => return None,
        };
        let requests = self.span(given(a));
        Some(Op::Complete { requests, given: requests, until, keep: false, poll: false })
    }
}

/// The last call of a lane that returned, and whether the same call was under way again when the recording ended.
fn last_poll(lane: &Lane) -> Option<(&Event, bool)> {
    match &lane.events[..] {
        [.., before, last] if last.outcome.is_none() => (before.call == last.call).then_some((before, true)),
        [.., last] => Some((last, false)),
        [] => None,
    }
}
