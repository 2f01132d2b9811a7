// A receive that is cancelled and completed, and a send request that is freed while its message arrives: both are legal.
// expect: warning request/freed-active
#include "require.h"

int main(int argc, char **argv) {
    int rank, value = 3, cancelled;
    MPI_Request request;
    MPI_Status status;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Irecv(&value, 1, MPI_INT, MPI_ANY_SOURCE, 9, MPI_COMM_WORLD, &request);
    MPI_Cancel(&request);
    MPI_Wait(&request, &status);
    MPI_Test_cancelled(&status, &cancelled);
    require(cancelled);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) {
        MPI_Isend(&value, 1, MPI_INT, 1, 9, MPI_COMM_WORLD, &request);
        MPI_Request_free(&request);
    }
    if (rank == 1) {
        MPI_Recv(&value, 1, MPI_INT, 0, 9, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        require(value == 3);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0)
        puts("cancelled");
    MPI_Finalize();
    return 0;
}
