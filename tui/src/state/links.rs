//! Which calls belong together: the two ends of a message, the members of a collective operation, the calls of a finding.
//!
//! The report lists them in its own order; here they are sorted by call, once, to be found by binary search.

use sim::{Message, Place, Report};
use traces::Trace;

/// What another call is to the one that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It received what this one sent.
    Receiver(Message),
    /// It sent what this one received, or posted the receive for, or waited for.
    Sender(Message),
    /// It took part in the same collective operation.
    Member,
}

/// A call that belongs to the one that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partner {
    /// The call.
    pub place: Place,
    /// What it is to the other.
    pub part: Part,
}

/// A finding that is about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// The call.
    pub place: Place,
    /// The number of the finding.
    pub finding: usize,
    /// The number of its label.
    pub label: usize,
}

/// The links of a report, by call.
pub struct Links {
    sends: Vec<(Place, u32)>,
    receives: Vec<(Place, u32)>,
    members: Vec<(Place, u32)>,
    marks: Vec<Mark>,
}

impl Links {
    /// Sorts the links of a report. Links to calls that the trace does not have are dropped.
    pub fn of(report: &Report, trace: &Trace) -> Links {
        let exists = |p: Place| trace.lanes.get(p.lane as usize).is_some_and(|l| (p.event as usize) < l.events.len());
        let (mut sends, mut receives, mut members) = (Vec::new(), Vec::new(), Vec::new());
        for (number, m) in (0u32..).zip(&report.messages) {
            if !(exists(m.send) && exists(m.receive) && exists(m.received)) {
                continue;
            }
            sends.push((m.send, number));
            receives.push((m.receive, number));
            if m.received != m.receive {
                receives.push((m.received, number));
            }
        }
        for (number, collective) in (0u32..).zip(&report.collectives) {
            members.extend(collective.calls.iter().filter(|&&p| exists(p)).map(|&p| (p, number)));
        }
        let labels = |f: usize| (0..).zip(&report.findings[f].labels).map(move |(label, l)| (f, label, l.place));
        let marks = (0..report.findings.len()).flat_map(labels).filter(|&(_, _, place)| exists(place));
        let mut marks: Vec<Mark> = marks.map(|(finding, label, place)| Mark { place, finding, label }).collect();
        sends.sort_unstable();
        receives.sort_unstable();
        members.sort_unstable();
        marks.sort_unstable();
        Links { sends, receives, members, marks }
    }

    /// The calls that belong to this one: the other ends of its messages first, then its collective's other members.
    pub fn partners(&self, report: &Report, place: Place) -> Vec<Partner> {
        let message = |number: u32| report.messages[number as usize];
        let mut partners: Vec<Partner> = Vec::new();
        for &(_, number) in at(&self.sends, place, place) {
            partners.push(Partner { place: message(number).received, part: Part::Receiver(message(number)) });
        }
        for &(_, number) in at(&self.receives, place, place) {
            partners.push(Partner { place: message(number).send, part: Part::Sender(message(number)) });
        }
        for &(_, number) in at(&self.members, place, place) {
            let others = report.collectives[number as usize].calls.iter().filter(|&&p| p != place);
            partners.extend(others.map(|&place| Partner { place, part: Part::Member }));
        }
        partners
    }

    /// The messages sent by the calls from `first` to `last` of one lane.
    pub fn sent_by(&self, first: Place, last: Place) -> impl Iterator<Item = u32> {
        at(&self.sends, first, last).iter().map(|&(_, number)| number)
    }

    /// The messages received by the calls from `first` to `last` of one lane.
    pub fn received_by(&self, first: Place, last: Place) -> impl Iterator<Item = u32> {
        at(&self.receives, first, last).iter().map(|&(_, number)| number)
    }

    /// What findings say of the calls from `first` to `last` of one lane, in order.
    pub fn marks(&self, first: Place, last: Place) -> &[Mark] {
        let from = self.marks.partition_point(|m| m.place < first);
        let to = self.marks.partition_point(|m| m.place <= last);
        &self.marks[from..to.max(from)]
    }
}

fn at(list: &[(Place, u32)], first: Place, last: Place) -> &[(Place, u32)] {
    let from = list.partition_point(|(p, _)| *p < first);
    let to = list.partition_point(|(p, _)| *p <= last);
    &list[from..to.max(from)]
}
