//! Which sends a receive may take at all, and which receives leave nothing to choose.

use super::model::{Model, ReceiveNo, SendNo};

/// The sends that each receive may take.
#[derive(Debug)]
pub(crate) struct Candidates {
    /// By receive.
    lists: Vec<Vec<SendNo>>,
    /// By receive: whether it certainly takes all its candidates, which no other receive can take.
    pub(crate) is_closed: Vec<bool>,
    /// By send: the closed receive that takes it.
    pub(crate) closed_by: Vec<Option<ReceiveNo>>,
}

impl Candidates {
    /// Everything that fits.
    pub(crate) fn all(model: &Model) -> Candidates {
        let fitting = |receive: &super::model::ReceivePost| {
            let arrivals = &model.arrivals[receive.mailbox as usize];
            arrivals.iter().copied().filter(|send| receive.fits(&model.sends[*send as usize])).collect()
        };
        Candidates {
            lists: model.receives.iter().map(fitting).collect(),
            is_closed: vec![false; model.receives.len()],
            closed_by: vec![None; model.sends.len()],
        }
    }

    /// These.
    pub(crate) fn new(lists: Vec<Vec<SendNo>>, is_closed: Vec<bool>, sends: usize) -> Candidates {
        let mut closed_by = vec![None; sends];
        for (number, list) in (0..).zip(&lists).filter(|(number, _)| is_closed[*number as usize]) {
            list.iter().for_each(|send| closed_by[*send as usize] = Some(number));
        }
        Candidates { lists, is_closed, closed_by }
    }

    /// Those of a receive.
    pub(crate) fn of(&self, receive: ReceiveNo) -> &[SendNo] {
        &self.lists[receive as usize]
    }

    /// Whether nothing is left to choose.
    pub(crate) fn are_closed(&self) -> bool {
        self.is_closed.iter().all(|closed| *closed)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.lists.iter().map(Vec::len).sum()
    }
}
