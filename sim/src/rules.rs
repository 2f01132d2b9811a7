//! The table of rules: names, meaning, an example. `mpisim explain`, the reports and the documentation come from it.
//!
//! How a rule is checked is not said here, and how bad it is to break one depends on the case: a finding carries its severity.
//! A row is here because something finds it; names are stable once released.

mod argument;
mod buffer;
mod file;
mod leak;
mod message;
mod rma;
mod usage;

pub use argument::*;
pub use buffer::*;
pub use file::*;
pub use leak::*;
pub use message::*;
pub use rma::*;
pub use usage::*;

/// A rule of correct MPI use.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name: `deadlock/cycle`. Stable.
    pub name: &'static str,
    /// What breaking it means, in one sentence.
    pub summary: &'static str,
    /// What it is about, where the standard says so, what to do, in a few paragraphs of plain text.
    pub explanation: &'static str,
}

/// Every rule, in the order of the documentation.
pub static ALL: &[&Rule] = &[
    &DEADLOCK_CYCLE,
    &DEADLOCK_MISSING_RANK,
    &DEADLOCK_BUFFERING,
    &MATCH_TAG,
    &MATCH_COMMUNICATOR,
    &MATCH_SOURCE,
    &MATCH_TYPE,
    &MATCH_TRUNCATED,
    &MATCH_ORPHAN_SEND,
    &MATCH_ORPHAN_RECV,
    &MATCH_READY_SEND,
    &COLLECTIVE_ORDER,
    &COLLECTIVE_ROOT,
    &COLLECTIVE_OPERATION,
    &COLLECTIVE_TYPE,
    &REQUEST_LOST,
    &REQUEST_NEVER_STARTED,
    &REQUEST_STARTED_TWICE,
    &REQUEST_NOT_READY,
    &ARGUMENT_COMMUNICATOR,
    &ARGUMENT_RANK,
    &ARGUMENT_COUNT,
    &ARGUMENT_TAG,
    &ARGUMENT_DATATYPE,
    &ARGUMENT_HANDLE,
    &ARGUMENT_UNCOMMITTED,
    &ARGUMENT_OPERATION,
    &LEAK_COMMUNICATOR,
    &LEAK_DATATYPE,
    &LEAK_GROUP,
    &LEAK_OPERATION,
    &LEAK_WINDOW,
    &LEAK_FILE,
    &LEAK_INFO,
    &LEAK_ERRHANDLER,
    &LEAK_REQUEST,
    &USAGE_THREAD_LEVEL,
    &USAGE_NOT_INITIALIZED,
    &USAGE_INITIALIZED_TWICE,
    &USAGE_BSEND_BUFFER,
    &USAGE_CANCELLED_SEND,
    &RMA_EPOCH,
    &RMA_RANGE,
    &RMA_RACE,
    &FILE_RACE,
    &BUFFER_OVERLAP,
    &BUFFER_IN_FLIGHT,
    &BUFFER_REUSED,
    &RACE_WILDCARD,
    &RACE_PROBE,
    &RUN_ABORTED,
    &RUN_UNFINISHED,
];

/// The rule of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.name == name)
}

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

/// A request was never completed.
pub static REQUEST_LOST: Rule = Rule {
    name: "request/lost",
    summary: "a request is never completed",
    explanation: "\
A nonblocking call gives a request, and the operation is only over when a call
such as MPI_Wait or MPI_Test says so. Until then the buffer belongs to MPI, and
what has come into it may be nothing, or half of it. Here the program came to
its end, or overwrote the request, without any such call.

    MPI_Isend(..., &request);
    MPI_Isend(..., &request);     /* the first request is lost */
    MPI_Wait(&request, ...);

Keep requests in an array and complete it with MPI_Waitall. Let MPI_Request_free
alone: nobody can tell, then, when the buffer may be used again.

The standard: Communication Completion (3.7.3).",
};

/// A persistent request was made and never started.
pub static REQUEST_NEVER_STARTED: Rule = Rule {
    name: "request/never-started",
    summary: "a persistent request is made and never started",
    explanation: "\
MPI_Send_init and the like only describe a communication; MPI_Start or
MPI_Startall begins it. This request was made, and freed or forgotten, and
nothing was ever sent or received by it. Its partner may wait in vain.

Start it, or leave it out. A persistent request is freed with MPI_Request_free
when it is no longer used.

The standard: Persistent Communication Requests (3.9).",
};

/// A call on MPI_COMM_NULL.
pub static ARGUMENT_COMMUNICATOR: Rule = Rule {
    name: "argument/communicator",
    summary: "a call is made on MPI_COMM_NULL",
    explanation: "\
MPI_COMM_NULL is what a rank gets that is not in a new communicator, and what is
left of one that was freed. No communication is possible on it, and by default
the call ends the program.

    MPI_Comm_split(comm, rank < 2 ? 0 : MPI_UNDEFINED, 0, &part);
    MPI_Barrier(part);                 /* MPI_COMM_NULL on all but two ranks */

Ask for MPI_COMM_NULL before the call.

The standard: Communicators (7.2.4), Communicator Constructors (7.4.2).",
};

/// A rank that the communicator does not have.
pub static ARGUMENT_RANK: Rule = Rule {
    name: "argument/rank",
    summary: "a call names a rank that its communicator does not have",
    explanation: "\
Ranks go from 0 to the size of the communicator less 1; in an intercommunicator
they are those of the other group. MPI_PROC_NULL stands for nobody, and
MPI_ANY_SOURCE, in a receive, for everybody. Any other number is an error, which
by default ends the program.

    MPI_Send(..., rank + 1, 0, comm);  /* the last rank has no next one */

Name MPI_PROC_NULL at the edges, or compute modulo the size.

The standard: Message Envelope (3.2.3).",
};

/// A number of elements below zero.
pub static ARGUMENT_COUNT: Rule = Rule {
    name: "argument/count",
    summary: "a call is given a number of elements below zero",
    explanation: "\
A count may be zero and must not be negative. What looks like a large negative
number is MPI_UNDEFINED, which MPI_Get_count gives if the message is no whole
number of the datatype, or a product that does not fit in an int.

    MPI_Get_count(&status, MPI_DOUBLE, &n);    /* the message has 4 bytes */
    MPI_Recv(x, n, MPI_DOUBLE, ...);

Look at what is computed there; for more than two thousand million elements
there are calls with large counts (MPI_Send_c).

The standard: Message Data (3.2.2).",
};

/// A tag below zero.
pub static ARGUMENT_TAG: Rule = Rule {
    name: "argument/tag",
    summary: "a call is given a tag below zero",
    explanation: "\
Tags go from 0 to the attribute MPI_TAG_UB, which is at least 32767. MPI_ANY_TAG
is for receives and probes only.

    MPI_Send(..., 1, MPI_ANY_TAG, comm);       /* which one? */

Give the message a tag of its own.

The standard: Message Envelope (3.2.3).",
};

/// No datatype.
pub static ARGUMENT_DATATYPE: Rule = Rule {
    name: "argument/datatype",
    summary: "a call is given MPI_DATATYPE_NULL",
    explanation: "\
MPI_DATATYPE_NULL stands for no datatype: a variable that was never set to one, or
one that was freed by MPI_Type_free. By default the call ends the program.

    MPI_Type_free(&column);
    MPI_Send(x, 1, column, ...);       /* one line too late */

The standard: Predefined Datatypes (3.2.2), Commit and Free (5.1.9).",
};

/// A request that is active was started.
pub static REQUEST_STARTED_TWICE: Rule = Rule {
    name: "request/started-twice",
    summary: "a persistent request is started while it is active",
    explanation: "\
A persistent request is active from MPI_Start until a call such as MPI_Wait or
MPI_Test has completed it. To start it again in between is an error: libraries
lose one of the two operations, hang, or end the program.

    MPI_Start(&request);
    MPI_Start(&request);               /* MPI_Wait is missing before it */

Complete it first; an operation that is to be under way twice needs two requests.

The standard: Persistent Communication Requests (3.9).",
};

/// A partitioned send waits for parts that nobody marks.
pub static REQUEST_NOT_READY: Rule = Rule {
    name: "request/not-ready",
    summary: "a partitioned send is waited for before all its partitions are ready",
    explanation: "\
A partitioned send goes when each of its partitions has been marked by MPI_Pready,
MPI_Pready_range or MPI_Pready_list, in every round anew. Whoever waits for it
before that waits for itself, and its receiver with it.

    MPI_Start(&request);
    for (int i = 0; i < partitions - 1; i++)   /* the last one is forgotten */
        MPI_Pready(i, request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);

The standard: Partitioned Point-to-Point Communication (4).",
};

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

/// A rank called MPI_Abort.
pub static RUN_ABORTED: Rule = Rule {
    name: "run/aborted",
    summary: "a rank ended the run with MPI_Abort",
    explanation: "\
MPI_Abort ends all ranks at once. The calls that the others were in at that time
are no errors of theirs: begin with the rank that aborted. MPI libraries call it,
too, for an error that no error handler takes. What would have come is not known,
so that the exit code is 4.

The standard: Aborting MPI Processes (11.4.2).",
};

/// A rank ended without MPI_Finalize.
pub static RUN_UNFINISHED: Rule = Rule {
    name: "run/unfinished",
    summary: "a rank came to its end without MPI_Finalize",
    explanation: "\
The process ended, crashed or was killed before MPI_Finalize returned: by a
signal, by a call of exit, by the system because memory ran out, or from outside
because the job's time was over. Which of these, a trace does not tell. Other
ranks that wait for it wait for ever, or are ended by the launcher.

The last call of the rank that is on record tells how far it came. If it never
returned, and is none that waits for others, look at its arguments and at what
the MPI library wrote: most libraries end the program for an error in a call.
What would have come is not known, so that the exit code is 4.

Every process that has called MPI_Init must call MPI_Finalize before it exits.

The standard: Finalizing MPI (11.2.2).",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_found_by_its_name_and_well_formed() {
        for rule in ALL.iter().copied() {
            assert_eq!(find(rule.name), Some(rule), "names are unique");
            let (class, detail) = rule.name.split_once('/').expect("a name has two parts");
            assert!([class, detail].iter().all(|part| part.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
            assert!(!rule.summary.ends_with('.'), "{}: a summary stands in the middle of lines", rule.name);
            assert!(rule.explanation.contains("The standard"), "{}", rule.name);
            assert!(rule.explanation.lines().all(|line| line.len() <= 82), "{}: fits a terminal", rule.name);
        }
        assert_eq!(find("no/such-rule"), None);
    }
}
