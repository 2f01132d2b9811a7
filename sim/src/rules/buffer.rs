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
