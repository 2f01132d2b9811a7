//! The rules of one-sided communication.

use super::Rule;

/// A one-sided call outside of its epoch.
pub static RMA_EPOCH: Rule = Rule {
    name: "rma/epoch",
    summary: "a one-sided call is made outside of the epoch that it needs",
    explanation: "\
The memory of another rank may be accessed only in an epoch: between two fences,
between MPI_Win_start and MPI_Win_complete, or between MPI_Win_lock or
MPI_Win_lock_all and the call that gives the lock back. The calls that end an
epoch need one, and one of a kind ends before the next one begins.

    MPI_Put(x, 1, MPI_INT, 1, 0, 1, MPI_INT, win);   /* no epoch yet */
    MPI_Win_fence(0, win);

Libraries do anything from nothing to a crash. Begin the epoch before the first
access; MPI_MODE_NOSUCCEED says that a fence begins none; a lock is of one target.

The standard: Synchronization Calls (12.5), Error Handling (12.6).",
};

/// An access beyond the window.
pub static RMA_RANGE: Rule = Rule {
    name: "rma/range",
    summary: "a one-sided access goes beyond the memory that the target has in the window",
    explanation: "\
A displacement is multiplied by the unit that the target gave when the window was
made, and what is accessed there must lie within the size that it gave. Neither
has to be the same on all ranks, and the origin's own does not count.

    MPI_Win_create(x, 4 * sizeof(int), sizeof(int), ...);
    MPI_Put(y, 1, MPI_INT, 1, 4, 1, MPI_INT, win);   /* 0 to 3 are there */

Libraries write into whatever lies there. Often the size was given in elements,
where it is in bytes, or the unit is 1 and the displacement counts elements.

The standard: Window Creation (12.2), Put (12.3.1).",
};
