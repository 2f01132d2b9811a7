// Receives, and synchronous sends where the library can do that, are cancelled; that they are over is seen by MPI_Request_get_status, and their
// requests are freed. No message goes to such a receive or comes from such a send: those that follow do without them.
// expect: every call explained
// expect: nothing
#include "require.h"

// Whether a request ended by being cancelled, in which case it is freed.
static int is_cancelled(MPI_Request* request) {
    int flag, cancelled;
    MPI_Status status;
    MPI_Cancel(request);
    MPI_Request_get_status(*request, &flag, &status);
    if (!flag) return 0;
    MPI_Test_cancelled(&status, &cancelled);
    if (cancelled) MPI_Request_free(request);
    return cancelled;
}

int main(int argc, char** argv) {
    int rank, sent = 1, received = 0, none = 0;
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (int round = 0; round < 2; round++) {
        MPI_Irecv(&none, 1, MPI_INT, MPI_ANY_SOURCE, 9, MPI_COMM_WORLD, &request);
        require(is_cancelled(&request));
        MPI_Irecv(&none, 1, MPI_INT, 0, 9, MPI_COMM_SELF, &request);
        require(is_cancelled(&request));
        MPI_Issend(&none, 1, MPI_INT, 0, 9, MPI_COMM_SELF, &request);
        if (!is_cancelled(&request)) {
            MPI_Recv(&received, 1, MPI_INT, 0, 9, MPI_COMM_SELF, MPI_STATUS_IGNORE);
            MPI_Wait(&request, MPI_STATUS_IGNORE);
        }
        MPI_Barrier(MPI_COMM_WORLD);
        if (rank == 0) MPI_Ssend(&sent, 1, MPI_INT, 1, 9, MPI_COMM_WORLD);
        if (rank == 1) MPI_Recv(&received, 1, MPI_INT, MPI_ANY_SOURCE, 9, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Issend(&sent, 1, MPI_INT, 0, 9, MPI_COMM_SELF, &request);
        MPI_Recv(&received, 1, MPI_INT, 0, 9, MPI_COMM_SELF, MPI_STATUS_IGNORE);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        require(received == 1 && none == 0);
    }
    MPI_Finalize();
    return 0;
}
