//! The recorded run on the machine, and the messages and collectives of it for those rules that ask for them.
//!
//! Of a long run they are too many to be kept in case: where they turn out to be needed, the machine makes the same run again. It judges nothing.

use traces::Trace;

use super::arrivals::Digests;
use super::hangs;
use crate::finding::Report;
use crate::machine::{Assumptions, Choices, Log, Machine, Record, Remains, Timeless};
use crate::program::Program;

/// What came of it.
pub(super) struct Recorded<'a> {
    program: &'a Program,
    pub(super) log: Log,
    pub(super) remains: Remains,
    /// What wildcards are taken to have received in calls that never returned, if anything had to be assumed.
    assumed: Option<Choices>,
}

impl<'a> Recorded<'a> {
    /// Runs a program as it was recorded. A brief run keeps neither messages nor collectives.
    pub(super) fn of(trace: &Trace, program: &'a Program, is_brief: bool) -> Recorded<'a> {
        let record = if is_brief { Record::Examples } else { Record::Everything };
        let (log, remains) = run(trace, program, record, None);
        let assumed = hangs::matches(program, &remains);
        let (log, remains) = match &assumed {
            Some(_) => run(trace, program, record, assumed.as_ref()),
            None => (log, remains),
        };
        Recorded { program, log, remains, assumed }
    }

    /// Whether something had to be assumed.
    pub(super) fn is_assumed(&self) -> bool {
        self.assumed.is_some()
    }

    /// Moves the messages and collectives to the report: their number, if they were not kept.
    pub(super) fn list(&mut self, report: &mut Report) {
        report.messages = self.log.take_messages();
        report.collectives = std::mem::take(&mut self.log.collectives);
        report.unlisted = self.log.unlisted;
    }

    /// Lists the messages and collectives in the report after all.
    pub(super) fn list_all(&self, trace: &Trace, report: &mut Report) {
        if self.log.record() != Record::Everything {
            let (mut log, _) = run(trace, self.program, Record::Everything, self.assumed.as_ref());
            (report.messages, report.unlisted) = (log.take_messages(), log.unlisted);
            report.collectives = log.collectives;
        }
    }
}

fn run(trace: &Trace, program: &Program, record: Record, choices: Option<&Choices>) -> (Log, Remains) {
    let digests = Digests::of(trace);
    let differ = |send, receive| digests.as_ref().is_some_and(|digests| digests.differ(send, receive));
    let mut machine = Machine::new(program, Assumptions::RECORDED, Timeless, record);
    if record == Record::Examples && digests.is_some() {
        machine = machine.with_watch(&differ);
    }
    if let Some(choices) = choices {
        machine = machine.with_choices(choices);
    }
    machine.run();
    let remains = machine.remains();
    (std::mem::take(machine.log()), remains)
}
