//! Sizes of grids, graphs and parts of arrays that do not fit each other, or the communicator.

use traces::Call;
use traces::function::mpi;

use super::{Fault, Faulty};
use crate::lift::communicators::View;

/// What is wrong with the shape that a call names.
pub(super) fn find(call: &Call, view: Option<&View>) -> Option<Faulty> {
    let members = view.and_then(|view| i64::try_from(view.local.ranks.len()).ok());
    match call.function.small() {
        mpi::CART_CREATE | mpi::CART_MAP => grid(call, members),
        mpi::CART_SHIFT => wrong(call.int("direction")? < 0, "direction", None, "directions are counted from 0"),
        mpi::GRAPH_CREATE | mpi::GRAPH_MAP => graph(call, members),
        mpi::DIMS_CREATE => dims(call),
        mpi::TYPE_CREATE_SUBARRAY => subarray(call),
        mpi::TYPE_CREATE_DARRAY => darray(call),
        _ => None,
    }
}

fn wrong(is_wrong: bool, name: &'static str, at: Option<usize>, why: &'static str) -> Option<Faulty> {
    is_wrong.then_some(Faulty { name, at, fault: Fault::Shape(why) })
}

/// The first element of an array that is wrong.
fn element(call: &Call, name: &'static str, why: &'static str, is_wrong: impl Fn(usize, i64) -> bool) -> Option<Faulty> {
    let at = call.ints(name).iter().enumerate().position(|(at, value)| is_wrong(at, *value))?;
    wrong(true, name, Some(at), why)
}

/// The product of an array, if it can be had.
fn product(list: &[i64]) -> Option<i64> {
    list.iter().try_fold(1i64, |product, size| product.checked_mul(*size))
}

fn grid(call: &Call, members: Option<i64>) -> Option<Faulty> {
    let empty = element(call, "dims", "a dimension has at least one process", |_, size| size < 1);
    empty.or_else(|| {
        let too_large = members.is_some_and(|members| product(call.ints("dims")).is_none_or(|all| all > members));
        wrong(too_large, "dims", None, "the grid has more processes than the communicator")
    })
}

fn graph(call: &Call, members: Option<i64>) -> Option<Faulty> {
    let index = call.ints("index");
    let nodes = call.int("nnodes")?;
    wrong(
        members.is_some_and(|members| nodes > members),
        "nnodes",
        None,
        "the graph has more nodes than the communicator has ranks",
    )
    .or_else(|| {
        let falls = |at: usize, end: i64| end < at.checked_sub(1).and_then(|before| index.get(before).copied()).unwrap_or(0);
        element(call, "index", "each node's edges end where the next one's begin, or later", falls)
    })
}

fn dims(call: &Call) -> Option<Faulty> {
    let negative = element(call, "dims", "a dimension is fixed by a number above 0, and left open by 0", |_, size| size < 0);
    negative.or_else(|| {
        let fixed: Vec<i64> = call.ints("dims").iter().copied().filter(|size| *size > 0).collect();
        let nodes = call.int("nnodes")?;
        let fits = product(&fixed).is_some_and(|all| nodes % all == 0);
        // Where all are fixed, they have to be all of it.
        let is_all = fixed.len() < call.ints("dims").len() || product(&fixed) == Some(nodes);
        wrong(!fits || !is_all, "dims", None, "the number of processes is no multiple of the dimensions that are fixed")
    })
}

fn subarray(call: &Call) -> Option<Faulty> {
    let (sizes, parts) = (call.ints("array_of_sizes"), call.ints("array_of_subsizes"));
    let size = |list: &[i64], at: usize| list.get(at).copied().unwrap_or(i64::MAX);
    element(call, "array_of_sizes", "an array has at least one element in each dimension", |_, size| size < 1)
        .or_else(|| {
            let why = "a part has at least one element in each dimension, and no more than the array";
            element(call, "array_of_subsizes", why, |at, part| part < 1 || part > size(sizes, at))
        })
        .or_else(|| {
            let why = "the part begins and ends in the array";
            element(call, "array_of_starts", why, |at, start| {
                let (size, part) = (size(sizes, at), size(parts, at));
                start < 0 || (size != i64::MAX && part != i64::MAX && start > size - part)
            })
        })
}

fn darray(call: &Call) -> Option<Faulty> {
    let size = call.int("size")?;
    element(call, "array_of_gsizes", "an array has at least one element in each dimension", |_, size| size < 1)
        .or_else(|| element(call, "array_of_psizes", "a dimension has at least one process", |_, size| size < 1))
        .or_else(|| {
            let is_other = product(call.ints("array_of_psizes")).is_none_or(|all| all != size);
            wrong(is_other, "array_of_psizes", None, "the grid of processes has as many as `size` says")
        })
}
