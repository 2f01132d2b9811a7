//! How a run ended.

use super::Rule;

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
