//! The rules of the memory that calls read and write.

use super::Rule;

/// Two buffers of a call share memory.
pub static BUFFER_OVERLAP: Rule = Rule {
    name: "buffer/overlap",
    summary: "two buffers of a call that must be apart share memory",
    explanation: "\
MPI may write into the one while it still reads the other.

    MPI_Fetch_and_op(&x, &x, MPI_INT, 1, 0, MPI_SUM, win);

Give each a variable of its own. In one-sided calls that is the origin's buffer
and the one for the result.

The standard: Get Accumulate, Fetch and Op, Compare and Swap (12.3.4).",
};

/// Two operations under way share memory.
pub static BUFFER_IN_FLIGHT: Rule = Rule {
    name: "buffer/in-flight",
    summary: "memory that an operation under way uses is given to another one, and one of them writes",
    explanation: "\
A nonblocking call lends its buffer to MPI until a call such as MPI_Wait or
MPI_Test has completed it: what is received may be written at any time in between,
and what is sent may be read. A second operation on the same bytes meets the old
data, the new, or some of each, and of two receives the one that is slower wins.

    MPI_Irecv(x, n, MPI_INT, 1, 0, comm, &one);
    MPI_Irecv(x, n, MPI_INT, 2, 0, comm, &other);    /* both write to x */

Two operations that only read may share. What is one-sided lends its local buffer
until the end of the epoch, a flush, or the completion of its request.

Give each operation bytes of its own, or complete the first before the second.
Bytes that lie between those of a derived datatype are not used by it: columns of
one matrix do not meet. All that a receive has room for is lent, however short the
message is. Where a send meets a receive whose message is sent only when what is
sent has arrived, no harm is done, and it is a note.

The standard: Communication Initiation (3.7.2), Nonblocking Collective Operations
(6.12), One-Sided Communication Calls (12.3).",
};

/// A buffer was changed while it was being sent.
pub static BUFFER_REUSED: Rule = Rule {
    name: "buffer/reused",
    summary: "a buffer is changed while MPI is sending it",
    explanation: "\
A nonblocking send lends its buffer to MPI until a call such as MPI_Wait or
MPI_Test has completed it, and a blocking one until it returns. Whether the
library has read the buffer before is up to it: it mostly has if the message is
small, and mostly has not if it is large. What arrives is then the old data, the
new, or some of each.

    MPI_Isend(x, n, MPI_INT, 1, 0, comm, &request);
    x[0] = 7;                          /* too early */
    MPI_Wait(&request, MPI_STATUS_IGNORE);

Write to the buffer after the completion, or to another buffer. Two causes that
are easy to miss: the buffer is a temporary copy that a compiler made of a
section of an array (Fortran), or it is gone and its memory is used for
something else.

It is seen by digests: that of the buffer when the send was started differs from
that when it was completed, or that of what was sent from that of what arrived.
Of more than 16 KiB they cover samples, so that a small change in a large buffer
may go unseen; `mpitrace record --payload full` looks at every byte, and
`mpitrace record --guard` names the line that writes.

The standard: Communication Initiation (3.7.2).",
};

/// A receive buffer was read or written while an operation was receiving into it.
pub static BUFFER_TOUCHED: Rule = Rule {
    name: "buffer/touched",
    summary: "a buffer is read or written while MPI is receiving into it",
    explanation: "\
A nonblocking receive lends its buffer to MPI until a call such as MPI_Wait or
MPI_Test has completed it. What the program reads from it before is the old data,
the new, or some of each; what it writes to it may be overwritten, or overwrite
what has arrived. It often goes well on one library, and not on another.

    MPI_Irecv(x, n, MPI_INT, 1, 0, comm, &request);
    if (x[0] > 0) work(x);             /* too early */
    MPI_Wait(&request, MPI_STATUS_IGNORE);

Complete the operation first, or use other memory. All that a receive has room for
is lent, however short the message is. Bytes in the holes of a derived datatype
are not, and what is being sent may be read, since MPI 2.2.

It is seen in runs under `mpitrace record --guard`, which names the line of each
access, or under `--landing`, which tells that a buffer was written to between the
two calls, and not where.

The standard: Communication Initiation (3.7.2), Nonblocking Collective Operations
(6.12).",
};
