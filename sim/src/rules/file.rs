//! The rules of files.

use super::Rule;

/// Accesses of different ranks that nothing keeps apart.
pub static FILE_RACE: Rule = Rule {
    name: "file/race",
    summary: "ranks access the same bytes of a file, one writes, and nothing keeps the accesses apart",
    explanation: "\
Unless a file is atomic, what one rank writes is there for another one only after
both have called MPI_File_sync, with a barrier in between; and of two writes to
the same bytes either may come last, or some bytes of each.

    MPI_File_write_at(file, 0, x, n, MPI_INT, ...);      /* by every rank */

Write to places of one's own; or let one rank write, and then

    MPI_File_sync(file);
    MPI_Barrier(comm);
    MPI_File_sync(file);

or call MPI_File_set_atomicity. It is an error where nothing orders the two, and a
warning where a message or a collective does, which is enough on most
file systems.
Looked at are calls with an offset of their own, on files that all have opened
together and whose view was not changed. Ranks that write equal data, or that
write the very same bytes and may write equal data, are left out.

The standard: File Consistency (14.6.1).",
};
