//! Messages and receives that do not fit.

use super::Rule;

/// A message and a receive miss each other by their tags.
pub static MATCH_TAG: Rule = Rule {
    name: "match/tag",
    summary: "a message and the receive that waits for one differ in their tags",
    explanation: "\
A receive takes a message only if communicator, source and tag agree. Here
everything agrees but the tag, so that the message stays where it is and the
receive waits.

    rank 1: MPI_Send(..., 2, 8, MPI_COMM_WORLD);          /* tag 8 */
    rank 2: MPI_Recv(..., 1, 7, MPI_COMM_WORLD, ...);     /* tag 7 */

Give both the same tag, best as one named constant. MPI_ANY_TAG receives every
tag, and MPI_TAG of the status says which one it was.

The standard: Blocking Receive (3.2.4).",
};

/// A message and a receive miss each other by their communicators.
pub static MATCH_COMMUNICATOR: Rule = Rule {
    name: "match/communicator",
    summary: "a message and the receive that waits for one are on different communicators",
    explanation: "\
Communicators never see each other's messages, even when they have the same
members: that is what they are for. The message was sent on one, the receive
waits on another. Ranks are those of the communicator in the call.

    rank 0: MPI_Send(..., 1, 0, MPI_COMM_WORLD);
    rank 1: MPI_Recv(..., 0, 0, copy_of_world, ...);

Use the same communicator on both sides.

The standard: Message Envelope (3.2.3).",
};

/// A message and a receive miss each other by their ranks.
pub static MATCH_SOURCE: Rule = Rule {
    name: "match/source",
    summary: "a receive names another source than the rank that sent the message",
    explanation: "\
The message has the tag and the communicator that the receive waits for, but
it comes from another rank than the receive names; or it went to another rank
than the one that waits for it.

    rank 0: MPI_Send(..., (rank + 1) % n, 0, comm);
    rank 1: MPI_Recv(..., (rank + 1) % n, 0, comm, ...);  /* means rank - 1 */

Check how both sides compute their partner. MPI_ANY_SOURCE receives from
everyone, and MPI_SOURCE of the status says from whom it was.

The standard: Blocking Receive (3.2.4).",
};

/// A message was sent as other types than it is received.
pub static MATCH_TYPE: Rule = Rule {
    name: "match/type",
    summary: "a message is received as other datatypes than it was sent",
    explanation: "\
The sequence of basic types that is sent has to be the one that is received;
how they are laid out in memory, and how they are put together into derived
types, may differ. MPI libraries do not check it: the program goes on with
bytes that mean something else.

    rank 0: MPI_Send(x, 4, MPI_DOUBLE, 1, ...);
    rank 1: MPI_Recv(x, 4, MPI_LONG, 0, ...);

Use the datatype of the variable on both sides. MPI_BYTE matches only
MPI_BYTE; MPI_PACKED matches everything.

The standard: Type Matching Rules (3.3.1).",
};

/// A message is longer than the receive has room.
pub static MATCH_TRUNCATED: Rule = Rule {
    name: "match/truncated",
    summary: "a message is longer than the receive that takes it has room for",
    explanation: "\
A receive may be longer than the message, never shorter: then it is an error of
class MPI_ERR_TRUNCATE, which by default ends the program, and what is in the
buffer is undefined.

    rank 0: MPI_Send(x, 100, MPI_INT, 1, ...);
    rank 1: MPI_Recv(x, 10, MPI_INT, 0, ...);

Make the receive as long as the longest message, or ask for the length first
with MPI_Mprobe and MPI_Get_count. Often the count is right and the receive
took another message than it was meant to: then the tags are at fault.

The standard: Blocking Receive (3.2.4).",
};

/// A message was sent and nobody received it.
pub static MATCH_ORPHAN_SEND: Rule = Rule {
    name: "match/orphan-send",
    summary: "a message is sent and never received",
    explanation: "\
The program came to its end and the message was still on its way. MPI_Finalize
may wait for it for ever, and a later version of the program may receive it in
place of another one.

Receive it, or do not send it. What looks like a lost message is often one
receive too few in a loop, or a rank that left the loop too early.

The standard: Finalizing MPI (11.2.2) wants all communication completed by a
matching receive before MPI_Finalize.",
};

/// A receive was posted and nobody sent to it.
pub static MATCH_ORPHAN_RECV: Rule = Rule {
    name: "match/orphan-recv",
    summary: "a receive is posted and no message ever comes",
    explanation: "\
No rank sends a message that this receive could take, up to the end of the run.
A blocking receive hangs; a nonblocking one leaves a request that can never
complete.

Send to it, or do not post it. A receive that is posted in case something
comes, as servers do, is to be ended with MPI_Cancel and MPI_Wait.

The standard: Cancel (3.8.4), Finalizing MPI (11.2.2).",
};

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
