//! Deadlocks, and what is one with some libraries.

use super::Rule;

/// Ranks wait for each other in a circle.
pub static DEADLOCK_CYCLE: Rule = Rule {
    name: "deadlock/cycle",
    summary: "ranks wait for each other in a circle, so that none of them can go on",
    explanation: "\
Each of these ranks is in a call that can only return when another one of them
makes a call that it will never reach. The report has the smallest such group.

    rank 0: MPI_Recv(from 1); MPI_Send(to 1);
    rank 1: MPI_Recv(from 0); MPI_Send(to 0);

Break the circle: let one side send first, post the receives with MPI_Irecv
before the sends, or use MPI_Sendrecv, which cannot deadlock with itself.

The standard: Semantics of Point-to-Point Communication (3.5).",
};

/// Ranks wait for one that will not come.
pub static DEADLOCK_MISSING_RANK: Rule = Rule {
    name: "deadlock/missing-rank",
    summary: "ranks wait for a call that another rank never makes",
    explanation: "\
These ranks are in a call that needs another rank to take part, and that rank
has ended, or has gone on to other calls, without it.

    if (rank != 3) MPI_Barrier(MPI_COMM_WORLD);    /* rank 3 is missing */

Look at the rank that is missing, not at those that wait: it left a loop too
early, took another branch, or stopped with an error. A collective operation
must be called by all ranks of its communicator.

The standard: Collective Communication, Correctness (6.14).",
};

/// The program only works because sends are buffered.
pub static DEADLOCK_BUFFERING: Rule = Rule {
    name: "deadlock/buffering",
    summary: "the program only works while MPI buffers its sends",
    explanation: "\
MPI_Send may return before its message is received, if the library has buffer
space for it, and may as well wait for the receive: the standard leaves it to
the library. This program deadlocks where it waits. Libraries buffer small
messages only, so that it will hang as soon as messages grow, on another
machine, or with another library.

    rank 0: MPI_Send(to 1); MPI_Recv(from 1);
    rank 1: MPI_Send(to 0); MPI_Recv(from 0);

Post the receive first with MPI_Irecv, or use MPI_Sendrecv; MPI_Bsend with
enough attached buffer is correct, too.

It is a warning by default. `mpisim check --buffering zero` makes it an error,
`--buffering eager=BYTES` judges by a library that buffers up to that size.

The standard calls such a program unsafe: Communication Modes (3.4), Semantics
of Point-to-Point Communication (3.5).",
};

/// The program only works because a collective does not synchronise.
pub static DEADLOCK_COLLECTIVE: Rule = Rule {
    name: "deadlock/collective",
    summary: "the program only works while collectives do not wait for all their ranks",
    explanation: "\
A collective such as MPI_Bcast or MPI_Reduce may let a rank go as soon as its own
part is done, and may as well keep it until all have come: the standard leaves it
to the library. This program deadlocks where it waits. Which one it is changes
with the library, the size of the data, and the number of ranks.

    rank 0: MPI_Bcast(root 0);     MPI_Send(to 1);
    rank 1: MPI_Recv(from 0);      MPI_Bcast(root 0);

Bring collectives and messages into the same order on all ranks, or use
MPI_Ibcast and complete it later.

It is a warning by default, and an error with `mpisim check --buffering zero`.

The standard: Collective Communication, Correctness (6.14).",
};
