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
and a message of the next step may be taken for one of this step. A probe with
MPI_ANY_SOURCE sees the first message likewise.

    MPI_Recv(x, n, MPI_DOUBLE, MPI_ANY_SOURCE, 0, comm, &status);

Name the source, or use tags that tell the steps apart; look at
status.MPI_SOURCE to know whose message it is. The report names every rank whose
message the receive can take in some schedule, and no other; where that could not
be decided, as in a program that probes, those whose message nothing holds back.

It says in what the messages differ: tag, length, content. Messages that are
alike, received with MPI_STATUS_IGNORE, cannot matter if no schedule gets stuck;
such a finding does not count, and the JSON report has it with the reason.

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

/// Which request completes first is open.
pub static RACE_COMPLETION: Rule = Rule {
    name: "race/completion",
    summary: "which of several requests completes first depends on who is faster",
    explanation: "\
MPI_Waitany, MPI_Waitsome, MPI_Testany and MPI_Testsome go on with a request that
is complete, and here another one could have been. That is what they are for. It
is a mistake where what the program computes, or which calls it makes, depends on
the order: sums of floating-point numbers come out differently from run to run.

    MPI_Waitany(n, requests, &index, &status);
    sum += values[index];

The report shows where the other requests were made, and says whether the rank
calls anything else before all of them are complete. Sends that complete in
another order change nothing then, and such a finding does not count. Use
MPI_Waitall where the order is to be the same each time.

The standard: Multiple Completions (3.7.5).",
};

/// Whether a poll finds something is open.
pub static RACE_POLL: Rule = Rule {
    name: "race/poll",
    summary: "what is called next depends on whether a poll finds something in time",
    explanation: "\
MPI_Test, MPI_Iprobe and the like say whether something has come so far: how
often they say no is up to the library and to who is faster. The report says how
often it was, and what the rank called next when nothing was found, and when
something was.

    MPI_Iprobe(MPI_ANY_SOURCE, 0, comm, &flag, &status);
    if (flag)
        MPI_Recv(...);
    else
        MPI_Send(...);

Where the two differ, two runs make other calls: both ways must be right. A loop
that calls nothing else until something is found cannot matter, and such a
finding does not count.

The standard: Communication Completion (3.7.3), Probe (3.8.1).",
};
