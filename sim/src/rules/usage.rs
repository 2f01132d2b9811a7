//! The rules of what the state of a process forbids.

use super::Rule;

/// A call from a thread that must not make it.
pub static USAGE_THREAD_LEVEL: Rule = Rule {
    name: "usage/thread-level",
    summary: "a thread calls MPI that the level of thread support forbids to",
    explanation: "\
After MPI_Init, or with MPI_THREAD_SINGLE or MPI_THREAD_FUNNELED, only the thread
that initialized MPI may call it. With MPI_THREAD_SERIALIZED each thread may, but
only one at a time. A library takes no locks then: messages are lost, and its
tables come to harm, now and then.

    #pragma omp parallel for
    for (int i = 0; i < n; i++)
        MPI_Send(...);                 /* after MPI_Init */

Ask for the level that the program needs, with MPI_Init_thread, and look at what
is provided: it may be less.

The standard: MPI and Threads (11.6).",
};

/// A call before MPI_Init.
pub static USAGE_NOT_INITIALIZED: Rule = Rule {
    name: "usage/not-initialized",
    summary: "a call is made before MPI_Init",
    explanation: "\
Before MPI_Init or MPI_Init_thread a program may only ask whether MPI is
initialized, for versions and for the time, handle info objects and error
handlers, and begin a session. Most libraries end the program for any other call.

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Init(&argc, &argv);            /* one line too late */

The standard: Starting MPI Processes (11.2, 11.4.1).",
};

/// A second MPI_Init.
pub static USAGE_INITIALIZED_TWICE: Rule = Rule {
    name: "usage/initialized-twice",
    summary: "MPI is initialized twice",
    explanation: "\
MPI_Init or MPI_Init_thread is called once in a process, and never again, not even
after MPI_Finalize. A library that does not know whether its caller has done it
asks MPI_Initialized.

    MPI_Initialized(&flag);
    if (!flag) MPI_Init(NULL, NULL);

The standard: Starting MPI Processes (11.2.1).",
};

/// A buffered send without room.
pub static USAGE_BSEND_BUFFER: Rule = Rule {
    name: "usage/bsend-buffer",
    summary: "a buffered send has no room in the attached buffer",
    explanation: "\
MPI_Bsend copies its message into the buffer that MPI_Buffer_attach has named, and
it is an error if it does not fit: there is no waiting for room. Each message
needs MPI_BSEND_OVERHEAD bytes more than its data.

    size = MPI_BSEND_OVERHEAD + n * sizeof(double);
    MPI_Buffer_attach(malloc(size), size);     /* this line is missing */
    MPI_Bsend(x, n, MPI_DOUBLE, ...);

A message occupies the buffer until it has been received. For one message at a
time, MPI_Isend with a buffer of the program's own is simpler.

The standard: Buffer Allocation and Usage (3.6).",
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
