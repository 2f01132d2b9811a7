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

/// Accesses that nothing orders.
pub static RMA_RACE: Rule = Rule {
    name: "rma/race",
    summary: "the same memory of a window is accessed twice, one access writes, and nothing orders them",
    explanation: "\
An access is complete at its target when the epoch ends that it is made in, or
with MPI_Win_flush. Until then another access to the same bytes meets the old
data, the new, or some of each, unless both only read. That holds for accesses of
two ranks and of one, and for calls of the target itself that send from the
memory, or receive into it.

    MPI_Win_fence(0, win);
    MPI_Put(x, 1, MPI_INT, 0, 0, 1, MPI_INT, win);   /* by every rank */
    MPI_Win_fence(0, win);

Accumulates may meet if all use the same operation, or MPI_NO_OP, on the same
type: MPI_Accumulate with MPI_REPLACE is a put that may. MPI_Compare_and_swap goes
with all of them. The accumulates of one rank come in their order.

What orders: the fence between them, MPI_Win_wait of the target and its next
MPI_Win_post, an exclusive lock, and after MPI_Win_unlock or MPI_Win_flush a
message or a collective to the other rank. A shared lock orders nothing, and
MPI_Win_flush_local only what is local. Under locks nothing is said of ranks that
may tell each other something by the memory of a window itself.

Of datatypes with holes only their own bytes count.

The standard: One-Sided Communication Calls (12.3), Accumulate Functions (12.3.4),
Semantics and Correctness (12.7).",
};
