// A line of ranks whose ends talk to MPI_PROC_NULL.
// expect: nothing
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, from = -5;
    MPI_Status status;
    MPI_Request requests[2];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int left = rank == 0 ? MPI_PROC_NULL : rank - 1, right = rank == size - 1 ? MPI_PROC_NULL : rank + 1;
    MPI_Irecv(&from, 1, MPI_INT, left, 0, MPI_COMM_WORLD, &requests[0]);
    MPI_Isend(&rank, 1, MPI_INT, right, 0, MPI_COMM_WORLD, &requests[1]);
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    require(from == (rank == 0 ? -5 : rank - 1));
    MPI_Send(&rank, 1, MPI_INT, MPI_PROC_NULL, 1, MPI_COMM_WORLD);
    MPI_Recv(&from, 1, MPI_INT, MPI_PROC_NULL, 1, MPI_COMM_WORLD, &status);
    require(status.MPI_SOURCE == MPI_PROC_NULL && status.MPI_TAG == MPI_ANY_TAG);
    MPI_Probe(MPI_PROC_NULL, 1, MPI_COMM_WORLD, &status);
    if (rank == 0)
        puts("nobody");
    MPI_Finalize();
    return 0;
}
