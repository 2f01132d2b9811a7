// Buffered, synchronous and ready sends, blocking and not, each used as it must be.
// expect: nothing
#include "require.h"

static int rank;

static void buffered(void) {
    static char space[4096];
    void *detached;
    int got, bytes, other = rank ^ 1;
    MPI_Request request;
    MPI_Buffer_attach(space, sizeof space);
    MPI_Bsend(&rank, 1, MPI_INT, other, 0, MPI_COMM_WORLD);
    MPI_Ibsend(&rank, 1, MPI_INT, other, 1, MPI_COMM_WORLD, &request);
    MPI_Recv(&got, 1, MPI_INT, other, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Recv(&got, 1, MPI_INT, other, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Buffer_detach(&detached, &bytes);
    require(got == other && bytes == sizeof space);
}

static void synchronous(void) {
    int got, other = rank ^ 1;
    MPI_Request request;
    if (rank % 2 == 0) {
        MPI_Ssend(&rank, 1, MPI_INT, other, 2, MPI_COMM_WORLD);
        MPI_Recv(&got, 1, MPI_INT, other, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else {
        MPI_Recv(&got, 1, MPI_INT, other, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Issend(&rank, 1, MPI_INT, other, 2, MPI_COMM_WORLD, &request);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
    }
    require(got == other);
}

static void ready(void) {
    int got, other = rank ^ 1;
    MPI_Request requests[2];
    MPI_Irecv(&got, 1, MPI_INT, other, 3, MPI_COMM_WORLD, &requests[0]);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank % 2 == 0) {
        MPI_Rsend(&rank, 1, MPI_INT, other, 3, MPI_COMM_WORLD);
        requests[1] = MPI_REQUEST_NULL;
    } else {
        MPI_Irsend(&rank, 1, MPI_INT, other, 3, MPI_COMM_WORLD, &requests[1]);
    }
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    require(got == other);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    buffered();
    synchronous();
    ready();
    if (rank == 0)
        puts("four modes");
    MPI_Finalize();
    return 0;
}
