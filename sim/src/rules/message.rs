//! The rules of messages that depend on what another rank has done before.

use super::Rule;

/// A ready send without a receive.
pub static MATCH_READY_SEND: Rule = Rule {
    name: "match/ready-send",
    summary: "a ready send may start before its receive is posted",
    explanation: "\
MPI_Rsend and MPI_Irsend promise that the receive is there already. If it is not,
the call is wrong: some libraries send all the same, others lose the message or
end the program, and most differ between small messages and large ones.

    rank 0                             rank 1
    MPI_Rsend(x, ..., 1, ...);         MPI_Irecv(y, ..., 0, ..., &request);

The receive must be posted by a call that has returned, and the sender must know:
by a message that the receiver sends after it, or a barrier. A blocking receive,
or MPI_Sendrecv, can tell nobody that it is there.

It is an error where the receive comes after the send in every run, and a warning
where time alone decides. MPI_Send does the same without the promise.

The standard: Communication Modes (3.4).",
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

/// A send that is cancelled.
pub static USAGE_CANCELLED_SEND: Rule = Rule {
    name: "usage/cancelled-send",
    summary: "a send is cancelled",
    explanation: "\
Whether a send can be cancelled depends on how far its message has come, so that
the receiver may get it or not. Many libraries never cancel one. Since MPI 4.0 it
is deprecated to ask for it.

    MPI_Isend(x, n, MPI_INT, 1, 0, comm, &request);
    MPI_Cancel(&request);

Send only what is received; a receiver that may not want any more tells so by a
message. Receives can be cancelled.

The standard: Cancel (3.8.4), Deprecated since MPI-4.0 (16.3).",
};
