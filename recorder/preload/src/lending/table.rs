//! The loans of the process, by the requests whose operations they belong to.
//!
//! A library may give one handle to several operations that are complete at once. They are told apart by the variable that the handle was given
//! in, and where that does not help, all of them are given back.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::loan::{Loan, Side};
use super::span::{Elements, Span};

/// What an operation was lent.
#[derive(Debug)]
pub struct Operation {
    /// Where the program keeps the request's handle.
    pub variable: usize,
    /// Whether the request lives on when it is complete.
    pub is_persistent: bool,
    /// The number of its request in the trace.
    pub request: i64,
    /// One buffer, or two.
    pub loans: Vec<Loan>,
}

impl Operation {
    /// Whether it is under way.
    pub fn is_active(&self) -> bool {
        self.loans.iter().any(|loan| loan.is_active)
    }
}

/// What is lent at the moment.
#[derive(Debug, Default)]
pub struct Lent {
    /// By the handle of the request.
    pub operations: FxHashMap<u64, Vec<Operation>>,
    /// Operations that the program has freed while they were under way, with the handles that it has given up.
    pub freed: Vec<(u64, Operation)>,
    /// Memory that other processes reach into: begin and end, and its window.
    pub windows: Vec<(usize, usize)>,
    /// What is known of datatypes.
    pub elements: Elements,
    /// How many buffers were lent so far.
    pub loans: u64,
    /// Whether MPI_Finalize was called, so that the library may not be asked any more.
    pub is_over: bool,
    under_way: UnderWay,
}

/// Where the buffers of operations under way lie, so that not each has to be looked at.
#[derive(Debug, Default)]
struct UnderWay {
    /// By where it begins, and by its loan: how long it is.
    spans: BTreeMap<(usize, u64), usize>,
    /// None is longer, nor was.
    longest: usize,
}

impl UnderWay {
    /// Whether any of them has bytes in a range, holes or not.
    fn meet(&self, low: usize, high: usize) -> bool {
        let near = self.spans.range((low.saturating_sub(self.longest), 0)..(high, 0));
        near.into_iter().any(|(&(begin, _), &len)| begin + len > low)
    }
}

impl Lent {
    /// A loan is under way from now on.
    pub fn begins(&mut self, loan: &Loan) {
        self.under_way.longest = self.under_way.longest.max(loan.span.len);
        self.under_way.spans.insert((loan.span.low, loan.id), loan.span.len);
    }

    /// A loan is no more under way.
    pub fn ends(&mut self, loan: &Loan) {
        self.under_way.spans.remove(&(loan.span.low, loan.id));
    }

    /// The position of the operation whose request the program means by a handle in a variable; None if it may be one of several.
    pub fn position(&self, handle: u64, variable: usize) -> Option<usize> {
        let sharers = self.operations.get(&handle)?;
        if sharers.len() == 1 {
            return Some(0);
        }
        let mut own = sharers.iter().enumerate().filter(|(_, operation)| operation.variable == variable).map(|(at, _)| at);
        own.next().filter(|_| own.next().is_none())
    }

    /// Takes away an operation.
    pub fn remove(&mut self, handle: u64, position: usize) -> Option<Operation> {
        let sharers = self.operations.get_mut(&handle).filter(|sharers| position < sharers.len())?;
        let operation = sharers.remove(position);
        if sharers.is_empty() {
            self.operations.remove(&handle);
        }
        Some(operation)
    }

    /// Takes away all operations with a handle.
    pub fn remove_all(&mut self, handle: u64) -> Vec<Operation> {
        self.operations.remove(&handle).unwrap_or_default()
    }

    /// Every loan of an operation that is under way.
    pub fn active(&mut self) -> impl Iterator<Item = &mut Loan> {
        let freed = self.freed.iter_mut().map(|(_, operation)| operation);
        let all = self.operations.values_mut().flatten().chain(freed);
        all.flat_map(|operation| &mut operation.loans).filter(|loan| loan.is_active)
    }

    /// An operation is lent bytes that another one has already, and one of them receives: nobody can say who has changed what. Whether that is so.
    pub fn note_sharer(&mut self, side: Side, span: &Span) -> bool {
        let mut shares = false;
        if !self.under_way.meet(span.low, span.low + span.len) {
            return false;
        }
        for loan in self.active() {
            let writes = side == Side::Receive || loan.side == Side::Receive;
            if writes && loan.span.shares(span) {
                loan.is_shared = true;
                shares = true;
            }
        }
        shares
    }

    /// Another operation writes to bytes of the program: of a loan that has some of them, nobody can say who has changed them.
    pub fn note_writer(&mut self, low: usize, high: usize) {
        if !self.under_way.meet(low, high) {
            return;
        }
        self.active().filter(|loan| loan.span.meets(low, high)).for_each(|loan| loan.is_shared = true);
    }
}
