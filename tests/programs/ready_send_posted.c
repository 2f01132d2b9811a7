// Ready sends whose receives were posted before a barrier, or before a message of the receiver.
// expect: nothing
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, value = 1, got[2];
    MPI_Request requests[2];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int next = (rank + 1) % size, before = (rank + size - 1) % size;
    MPI_Irecv(&got[0], 1, MPI_INT, before, 0, MPI_COMM_WORLD, &requests[0]);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Rsend(&value, 1, MPI_INT, next, 0, MPI_COMM_WORLD);
    MPI_Irecv(&got[1], 1, MPI_INT, before, 1, MPI_COMM_WORLD, &requests[1]);
    // Each tells the one that sends to it.
    MPI_Sendrecv(NULL, 0, MPI_INT, before, 2, NULL, 0, MPI_INT, next, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Rsend(&value, 1, MPI_INT, next, 1, MPI_COMM_WORLD);
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    require(got[0] == 1 && got[1] == 1);
    MPI_Finalize();
    return 0;
}
