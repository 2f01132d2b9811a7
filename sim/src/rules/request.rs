//! Requests and what becomes of them.

use super::Rule;

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

/// A request that is freed while its operation is under way.
pub static REQUEST_FREED_ACTIVE: Rule = Rule {
    name: "request/freed-active",
    summary: "a request is freed while its operation is under way",
    explanation: "\
After MPI_Request_free nobody can ask whether the operation is complete: of a
receive, whether the data is there; of a send, whether the buffer may be used
again. The standard allows it for messages, and hardly ever is it meant; for
collectives it is an error.

    MPI_Irecv(x, n, MPI_INT, 1, 0, comm, &request);
    MPI_Request_free(&request);        /* when is x there? */

Complete the request with MPI_Wait or MPI_Test. If an answer proves that a message
has arrived, MPI_Wait costs nothing after it. A receive that is not wanted any
more is cancelled.

The standard: Communication Completion (3.7.3), Nonblocking Collective Operations
(6.12).",
};

/// A partition that cannot be marked.
pub static REQUEST_PARTITION: Rule = Rule {
    name: "request/partition",
    summary: "a partition is marked as ready that cannot be",
    explanation: "\
Each partition of a message is marked once, after MPI_Start and before the message
is complete, and they are counted from 0. To mark one twice may send it twice, or
send in its place what is not there yet.

    MPI_Psend_init(x, 4, n, ..., &request);
    MPI_Start(&request);
    MPI_Pready_range(1, 4, request);   /* there are 0 to 3 */

The standard: Partitioned Communication Completion (4.2.2).",
};
