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
