//! Calls on files. Collective ones are so over the group that opened the file, in an order of their own; the rest concerns nobody else.

use traces::constant::COMM_WORLD;
use traces::function::{Class, Function, mpi};

use super::arguments::Arguments;
use super::{Lifter, NO_SLOT, request_made};
use crate::program::{Flow, Op, Then, Thing};

/// Whether all members of a file's group have to call a function. Its split halves, and its nonblocking form, are functions of their own,
/// which do not match each other.
pub(crate) fn is_collective_on_file(function: Function) -> bool {
    let name = function.name();
    let by_name = ["_all", "_all_begin", "_all_end", "_ordered", "_ordered_begin", "_ordered_end"];
    by_name.iter().any(|end| name.ends_with(end))
        || matches!(
            function,
            mpi::FILE_CLOSE
                | mpi::FILE_SET_SIZE
                | mpi::FILE_PREALLOCATE
                | mpi::FILE_SET_INFO
                | mpi::FILE_SET_VIEW
                | mpi::FILE_SEEK_SHARED
                | mpi::FILE_SET_ATOMICITY
                | mpi::FILE_SYNC
        )
}

impl Lifter<'_> {
    /// What a call on a file does to others; None if it is none, or is nobody else's business.
    ///
    /// No data has to come from another member, so that a library may let each go on at once. A call that returns an error is a part all the
    /// same: that a file cannot be opened is found out together.
    pub(super) fn file(&mut self, a: &Arguments) -> Option<Op> {
        let function = a.function();
        if function.class() != Class::Io {
            return None;
        }
        let context = if function == mpi::FILE_OPEN {
            let view = self.communicators.view(a.int_or("comm", COMM_WORLD), self.rank)?;
            Some(view.context).filter(|_| !view.is_inter)?
        } else if is_collective_on_file(function) {
            self.shared.get(self.rank, Thing::File(a.call.int("fh")?))?.context
        } else {
            return None;
        };
        let then = match (request_made(a), a.outcome) {
            (NO_SLOT, None) if function.parameter("request").is_some() => return Some(Op::Opaque),
            (NO_SLOT, _) => Then::Return,
            (slot, _) => Then::Request(slot),
        };
        Some(self.part(a, context, Flow::Nobody, then))
    }
}
