//! The rules of what a program is given and has to give back.

use super::Rule;

/// A communicator was never freed.
pub static LEAK_COMMUNICATOR: Rule = Rule {
    name: "leak/communicator",
    summary: "a communicator is made and never freed",
    explanation: "\
Communicators are few: libraries have some thousands of them, or only some
hundreds, and a program that makes one in a loop without freeing it comes to an
end with `too many communicators` after hours.

    for (step = 0; step < n; step++) {
        MPI_Comm_split(comm, color, rank, &part);
        ...
        MPI_Comm_free(&part);     /* this line is missing */
    }

One that lives as long as the program does no harm.

The standard: Communicator Destructors (7.4.3).",
};

/// A datatype was never freed.
pub static LEAK_DATATYPE: Rule = Rule {
    name: "leak/datatype",
    summary: "a datatype is made and never freed",
    explanation: "\
A derived datatype takes memory until MPI_Type_free, and some libraries have a
limited number of them. It may be freed as soon as it is no longer needed for
new calls: operations under way, and other types made from it, keep what they
need.

    MPI_Type_vector(n, 1, n, MPI_DOUBLE, &column);
    MPI_Type_commit(&column);
    ...
    MPI_Type_free(&column);       /* this line is missing */

One that lives as long as the program does no harm.

The standard: Commit and Free (5.1.9).",
};

/// A group was never freed.
pub static LEAK_GROUP: Rule = Rule {
    name: "leak/group",
    summary: "a group is made and never freed",
    explanation: "\
MPI_Comm_group and the calls that make groups of groups each give a handle of
their own, which stands for memory of the size of the group until
MPI_Group_free, also if the communicator is freed.

    MPI_Comm_group(comm, &all);
    MPI_Group_incl(all, n, list, &some);
    MPI_Comm_create(comm, some, &part);
    MPI_Group_free(&some);        /* and all? */

A group may be freed as soon as the communicator is made of it.

The standard: Group Destructors (7.3.3).",
};

/// An operation was never freed.
pub static LEAK_OPERATION: Rule = Rule {
    name: "leak/operation",
    summary: "an operation is made and never freed",
    explanation: "\
What MPI_Op_create makes takes memory until MPI_Op_free. It may be freed as soon
as the last call that reduces with it has been made.

    MPI_Op_create(add, 1, &op);
    MPI_Reduce(..., op, 0, comm);
    MPI_Op_free(&op);             /* this line is missing */

One that lives as long as the program does no harm.

The standard: User-Defined Reduction Operations (6.9.5).",
};

/// A window was never freed.
pub static LEAK_WINDOW: Rule = Rule {
    name: "leak/window",
    summary: "a window is made and never freed",
    explanation: "\
A window keeps memory that is registered with the network, and what
MPI_Win_allocate has given with it. MPI_Win_free is collective, and no rank comes
back from it before the accesses of all others are complete, so that it is also
the proof that they are.

    MPI_Win_create(base, size, 1, MPI_INFO_NULL, comm, &win);
    ...
    MPI_Win_free(&win);           /* this line is missing */

The standard: Window Destruction (12.2.5).",
};

/// A file was never closed.
pub static LEAK_FILE: Rule = Rule {
    name: "leak/file",
    summary: "a file is opened and never closed",
    explanation: "\
What was written to a file may be in the file only after MPI_File_close or
MPI_File_sync. MPI_Finalize does not close files: the standard requires the
program to have closed them before.

    MPI_File_open(comm, name, MPI_MODE_WRONLY, info, &file);
    MPI_File_write(file, ...);
    MPI_File_close(&file);        /* this line is missing */

The standard: Closing a File (14.2.2).",
};

/// An info object was never freed.
pub static LEAK_INFO: Rule = Rule {
    name: "leak/info",
    summary: "an info object is made and never freed",
    explanation: "\
MPI_Info_create, MPI_Info_dup and the calls that ask for the hints of a
communicator, a window or a file (MPI_Comm_get_info and the like) give an object
that is the program's to free. It may be freed as soon as the call that takes it
has returned.

    MPI_Info_create(&info);
    MPI_File_open(comm, name, mode, info, &file);
    MPI_Info_free(&info);         /* this line is missing */

The standard: The Info Object (10).",
};

/// An error handler was never freed.
pub static LEAK_ERRHANDLER: Rule = Rule {
    name: "leak/errhandler",
    summary: "an error handler is made and never freed",
    explanation: "\
MPI_Comm_create_errhandler and the like make a handle, and MPI_Comm_get_errhandler
gives one more of the handler that is in force: each is to be freed. A handler
that is set stays in force when its handle is freed.

    MPI_Comm_create_errhandler(report, &handler);
    MPI_Comm_set_errhandler(comm, handler);
    MPI_Errhandler_free(&handler);    /* this line is missing */

The standard: Error Handling (9.3).",
};

/// A persistent request was never freed.
pub static LEAK_REQUEST: Rule = Rule {
    name: "leak/request",
    summary: "a persistent request is made and never freed",
    explanation: "\
MPI_Send_init and the like make a request that lives on when it is complete. Its
last call is MPI_Request_free, while it is not active.

    MPI_Send_init(..., &request);
    for (step = 0; step < n; step++) {
        MPI_Start(&request);
        MPI_Wait(&request, ...);
    }
    MPI_Request_free(&request);   /* this line is missing */

One that lives as long as the program does little harm.

The standard: Persistent Communication Requests (3.9).",
};
