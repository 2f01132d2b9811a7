//! Collectives whose members disagree.

use super::Rule;

/// Ranks call different collectives at the same point.
pub static COLLECTIVE_ORDER: Rule = Rule {
    name: "collective/order",
    summary: "ranks of a communicator call different collective operations at the same point",
    explanation: "\
All ranks of a communicator must call its collective operations in the same
order: the first call of one is matched with the first call of each other one,
and so on, whatever operations they are. A blocking collective does not match
its nonblocking form.

    rank 0: MPI_Bcast(..., comm); MPI_Barrier(comm);
    rank 1: MPI_Barrier(comm); MPI_Bcast(..., comm);

Some libraries let such a program run to its end, with garbage. Find the branch
that ranks take differently. The report has the first point where they differ.

The standard: Collective Communication, Correctness (6.14).",
};

/// Ranks name different roots.
pub static COLLECTIVE_ROOT: Rule = Rule {
    name: "collective/root",
    summary: "ranks of a collective operation name different roots",
    explanation: "\
The root argument must be the same on all ranks. Otherwise two ranks send, or
none does, and the program hangs or goes on with garbage.

    MPI_Bcast(&n, 1, MPI_INT, rank, comm);      /* each rank names itself */

Use a constant, or a value that all ranks compute in the same way. Ranks are
those of the communicator in the call.

The standard: Collective Communication, Communicator Argument (6.2).",
};

/// Ranks reduce with different operations.
pub static COLLECTIVE_OPERATION: Rule = Rule {
    name: "collective/operation",
    summary: "ranks of a reduction name different operations",
    explanation: "\
The operation of a reduction must be the same on all ranks. Which one is applied
where is up to the library, so that the result is meaningless, and may differ
between ranks.

    rank 0: MPI_Allreduce(..., MPI_SUM, comm);
    rank 1: MPI_Allreduce(..., MPI_MAX, comm);

The standard: Global Reduction Operations (6.9).",
};

/// Ranks of a collective disagree about the data.
pub static COLLECTIVE_TYPE: Rule = Rule {
    name: "collective/type",
    summary: "ranks of a collective operation disagree about the types or counts of the data",
    explanation: "\
What one rank sends in a collective operation has to be what the other one
receives, to the last element: unlike in point-to-point communication, a receive
may not be longer than what is sent. Types may be put together differently if
the basic types in them are the same.

    rank 0: MPI_Bcast(x, 4, MPI_DOUBLE, 0, comm);
    rank 1: MPI_Bcast(x, 8, MPI_INT, 0, comm);     /* as many bytes, and wrong */

In the vector forms (MPI_Gatherv and the like) the count that the root has for
a rank must be the count that this rank gives.

The standard: Collective Communication, Introduction (6.1).",
};

/// MPI_IN_PLACE on some ranks only.
pub static COLLECTIVE_IN_PLACE: Rule = Rule {
    name: "collective/in-place",
    summary: "some ranks give MPI_IN_PLACE to a collective operation where all have to, or none",
    explanation: "\
Where all ranks get a result (MPI_Allreduce, MPI_Allgather, MPI_Alltoall,
MPI_Reduce_scatter and their variants), MPI_IN_PLACE is given by all of them or by
none. Libraries choose the algorithm by it: one rank takes another one than the
others, and what comes of that is their affair. Most put up with it.

    MPI_Allreduce(rank == 0 ? MPI_IN_PLACE : x, y, ...);

Give it on all ranks, or on none. In rooted operations it is the root's only.

The standard: \"In Place\" in Allgather (6.7), Alltoall (6.8), Allreduce (6.9.6).",
};
