//! Arguments that no call may have, by the standard, whatever happens in the run.
//!
//! Only what is certain: what a library ignores in a call is not looked at, and what is not known of a communicator is no fault. What
//! depends on other calls (which epoch, which request, who takes part) is looked for elsewhere.

mod buffers;
mod handles;
mod numbers;
mod shapes;
mod significance;

use traces::function::{Class, Direction, Kind};
use traces::{Call, Value};

use super::collectives::blocking_form;
use super::communicators::{Communicators, View};
use super::datatypes::Datatypes;
use super::groups::Groups;
use super::shared::SharedThings;
use crate::program::Thing;
pub(crate) use significance::has_elements;

/// What is wrong with an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is the null handle of its kind.
    Null(Kind),
    /// A handle of this kind that is not known: it was never made, completed, or made in a way that the recorder does not see.
    Handle(Kind),
    /// A handle that the program has freed.
    Freed,
    /// A rank that the group does not have; the group's size.
    Rank(usize),
    /// A number of things below zero.
    Count,
    /// A tag below zero that stands for nothing.
    Tag,
    /// A tag above this one, which is the largest.
    LargeTag(i64),
    /// A place, a size or a unit that cannot be, and why.
    Displacement(&'static str),
    /// Sizes of a grid, a graph or a part of an array that cannot be, and why.
    Shape(&'static str),
    /// A null pointer where data is.
    Buffer,
    /// MPI_IN_PLACE where it does not mean anything.
    InPlace,
}

/// An argument with a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Faulty {
    /// The parameter's name.
    pub(crate) name: &'static str,
    /// The place in the array, if it is one element of an array that is wrong.
    pub(crate) at: Option<usize>,
    pub(crate) fault: Fault,
}

/// What is known where a call is made.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) rank: u32,
    pub(crate) communicators: &'a Communicators,
    pub(crate) shared: &'a SharedThings,
    /// Those of the process.
    pub(crate) datatypes: &'a Datatypes,
    /// Those of the process.
    pub(crate) groups: &'a Groups,
    /// The largest tag, if it is known.
    pub(crate) tag_ub: Option<i64>,
}

impl<'a> Known<'a> {
    /// The communicator that a call is made on, as the caller sees it.
    fn view(&self, call: &Call) -> Option<View<'a>> {
        let window = || call.int("win").and_then(|win| Some(self.shared.get(self.rank, Thing::Window(win))?.comm));
        let comm = ["comm", "comm_old", "local_comm"].into_iter().find_map(|name| call.int(name)).or_else(window);
        self.communicators.view(comm?, self.rank)
    }
}

/// The first argument of a call that is wrong for certain.
pub(crate) fn find(call: &Call, known: &Known) -> Option<Faulty> {
    if call.function.class() == Class::Completion {
        return handles::of_completion(call);
    }
    let view = known.view(call);
    // In an intercommunicator much is ignored, and what, depends on the root.
    let is_collective = blocking_form(call.function.small()).is_some();
    let is_open = is_collective && view.is_none_or(|view| view.is_inter);
    let parameters = call.function.parameters().iter().filter(|p| p.direction != Direction::Out);
    let of_argument = |p: &traces::function::Parameter| {
        elements(call.argument(p.name)).find_map(|(at, value)| {
            let handle = handles::fault(call, p, at, value);
            let number = || numbers::fault(call, p, value, known, view.as_ref());
            let fault = if is_open { handle.filter(|_| p.kind == Kind::Comm) } else { handle.or_else(number) };
            Some(Faulty { name: p.name, at, fault: fault? })
        })
    };
    let found = parameters.clone().find_map(of_argument);
    if is_open {
        return found;
    }
    found.or_else(|| shapes::find(call, view.as_ref())).or_else(|| buffers::find(call, known, view.as_ref()))
}

/// The numbers of an argument, with their places if it is an array.
pub(crate) fn elements(value: &Value) -> impl Iterator<Item = (Option<usize>, i64)> {
    let list = value.ints().iter().enumerate().map(|(at, value)| (Some(at), *value));
    value.int().map(|value| (None, value)).into_iter().chain(list)
}
