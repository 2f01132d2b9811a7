//! What depends on which message comes first.

use super::Rule;

/// Which message a receive takes is open.
pub static RACE_WILDCARD: Rule = Rule {
    name: "race/wildcard",
    summary: "which message a receive takes depends on who is faster",
    explanation: "\
A receive with MPI_ANY_SOURCE takes the first message that comes, and here more
than one rank can be first. That is legal, and what a server wants. It is a
mistake where what the program computes, or which calls it makes, depends on
the order: sums of floating-point numbers come out differently from run to run,
and a message of the next step may be taken for one of this step.

    MPI_Recv(x, n, MPI_DOUBLE, MPI_ANY_SOURCE, 0, comm, &status);

Name the source, or use tags that tell the steps apart; look at
status.MPI_SOURCE to know whose message it is. The report names every rank whose
message the receive can take in some schedule, and no other.

The standard: Semantics of Point-to-Point Communication (3.5).",
};

/// A receive after a probe that may take another message.
pub static RACE_PROBE: Rule = Rule {
    name: "race/probe",
    summary: "a receive after a probe may take another message than the one that the probe saw",
    explanation: "\
MPI_Probe takes no message. A receive that asks once more for a message of any
rank takes whichever is there, and its length and its tag may be others than those
that the program has just been told.

    MPI_Probe(MPI_ANY_SOURCE, 0, comm, &status);
    MPI_Get_count(&status, MPI_INT, &n);
    MPI_Recv(x, n, MPI_INT, MPI_ANY_SOURCE, 0, comm, &status);

Receive from status.MPI_SOURCE with status.MPI_TAG; where several threads receive,
use MPI_Mprobe and MPI_Mrecv, which take the very message. It is told where
another rank has such a message, which nothing holds back until the receive is
done.

The standard: Probe (3.8.1), Matching Probe (3.8.2).",
};
