//! The rules of arguments that a call may not be given.

use super::Rule;

/// A handle that stands for nothing.
pub static ARGUMENT_HANDLE: Rule = Rule {
    name: "argument/handle",
    summary: "a call is given a handle that was freed, or never made",
    explanation: "\
The handle stands for nothing that is: it was freed, by way of a copy of it
perhaps, its request was completed by another call, or the variable was never
set. Some libraries end the program, others take what now lies at that place for
what was meant.

    MPI_Request copy = request;
    MPI_Wait(&request, ...);
    MPI_Wait(&copy, ...);              /* the request is gone */

Keep one variable for a handle: the call that frees the object, or completes the
request, sets it to MPI_COMM_NULL, MPI_REQUEST_NULL and so on.

The standard: Opaque Objects (2.5.1).",
};

/// A datatype that is not committed.
pub static ARGUMENT_UNCOMMITTED: Rule = Rule {
    name: "argument/uncommitted",
    summary: "a call is given a datatype that is not committed",
    explanation: "\
A derived datatype must be committed before a message can be described by it; to
make other types of it, it need not be. Some libraries refuse it, others let it
pass, and a program that runs with one fails with another.

    MPI_Type_vector(n, 1, n, MPI_DOUBLE, &column);
    MPI_Type_commit(&column);          /* this line is missing */
    MPI_Send(a, 1, column, ...);

The standard: Commit and Free (5.1.9).",
};

/// An operation for other datatypes.
pub static ARGUMENT_OPERATION: Rule = Rule {
    name: "argument/operation",
    summary: "a reduction is made with an operation that is not defined for its datatype",
    explanation: "\
Each predefined operation has the datatypes that it is for: MPI_SUM numbers,
MPI_LAND integers and truth values, MPI_BAND integers and bytes, MPI_MAXLOC pairs.
None is for MPI_CHAR, which is a letter, and none for derived datatypes. What one
library computes all the same, another one refuses.

    MPI_Reduce(in, out, n, MPI_CHAR, MPI_SUM, 0, comm);

For small numbers there is MPI_SIGNED_CHAR or MPI_INT8_T; for a derived datatype,
MPI_Op_create.

The standard: Predefined Reduction Operations (6.9.2).",
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

/// A tag that is none.
pub static ARGUMENT_TAG: Rule = Rule {
    name: "argument/tag",
    summary: "a call is given a tag below zero, or above the largest",
    explanation: "\
Tags go from 0 to the attribute MPI_TAG_UB, which is at least 32767, and in every
library another number. MPI_ANY_TAG is for receives and probes only.

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

/// A null handle.
pub static ARGUMENT_NULL: Rule = Rule {
    name: "argument/null",
    summary: "a call is given a null handle",
    explanation: "\
A null handle (MPI_WIN_NULL, MPI_GROUP_NULL, MPI_OP_NULL, MPI_REQUEST_NULL and so
on) stands for no object: the variable was set to it and to nothing else, or MPI
has set it to it when the object was freed. By default the call ends the program.

    MPI_Win_free(&window);
    MPI_Put(..., window);              /* one line too late */

Calls that complete requests may be given MPI_REQUEST_NULL; MPI_INFO_NULL stands
for no hints; MPI_FILE_NULL has an error handler, for files that cannot be opened.

The standard: Opaque Objects (2.5.1).",
};

/// A place, a size or a unit that cannot be.
pub static ARGUMENT_DISPLACEMENT: Rule = Rule {
    name: "argument/displacement",
    summary: "a call is given an offset, a size of memory or a unit that cannot be",
    explanation: "\
A file begins at offset 0, memory has no less than 0 bytes, and displacements in a
window are counted in units of at least one byte.

    MPI_File_write_at(file, (rank - 1) * n, ...);  /* rank 0 has no such place */

Negative numbers often come from a product that does not fit in an int: compute
offsets as MPI_Offset, and sizes as MPI_Aint.

The standard: Window Creation (12.2.1), Data Access with Explicit Offsets
(14.4.2).",
};

/// Sizes that do not fit.
pub static ARGUMENT_DIMENSION: Rule = Rule {
    name: "argument/dimension",
    summary: "a call describes a grid, a graph or a part of an array that cannot be",
    explanation: "\
A grid of processes has at least one in each dimension, and no more in all than
the communicator; a graph has as many nodes as ranks, or fewer; a part of an array
lies in it.

    int dims[2] = {3, 3};
    MPI_Cart_create(comm, 2, dims, ...);       /* with 8 ranks */

MPI_Dims_create finds dimensions for any number of processes.

The standard: Cartesian Constructor (8.5.1), Graph Constructor (8.5.3), Subarray
Datatype Constructor (5.1.3).",
};

/// No memory for data.
pub static ARGUMENT_BUFFER: Rule = Rule {
    name: "argument/buffer",
    summary: "a call is given a null pointer for data",
    explanation: "\
Where there are elements there has to be memory. A null pointer is what malloc
gives when there is no more, or a variable that nothing was ever put into. Most
libraries crash in the call, in other ranks, or later.

    double *x = NULL;
    MPI_Recv(x, n, MPI_DOUBLE, ...);

A null pointer is right where there is no data: with a count of 0, and in the
arguments that mean something on the root only. MPI_BOTTOM, which is the same
number, is for datatypes of absolute addresses.

The standard: Message Data (3.2.2), MPI_BOTTOM (5.1.5).",
};

/// In place of nothing.
pub static ARGUMENT_IN_PLACE: Rule = Rule {
    name: "argument/in-place",
    summary: "MPI_IN_PLACE is given where it means nothing",
    explanation: "\
MPI_IN_PLACE says that a rank's own part of a collective is in the receive buffer
already. It stands for the send buffer, on all ranks in MPI_Allreduce and
MPI_Allgather, on the root only in MPI_Reduce and MPI_Gather; in MPI_Scatter it
stands for the receive buffer of the root. Nowhere else is it known: not in
MPI_Bcast, in no message from one to one, not in intercommunicators.

    MPI_Reduce(MPI_IN_PLACE, x, n, MPI_INT, MPI_SUM, 0, comm);  /* all ranks */

Give the other ranks their own buffer:

    MPI_Reduce(rank == 0 ? MPI_IN_PLACE : x, x, n, MPI_INT, MPI_SUM, 0, comm);

The standard: \"In Place\" (6.2.1), Reduce (6.9.1).",
};
