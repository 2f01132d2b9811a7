// Collectives that are made once and started often, two of them at a time. They are started in another order than they were made, by all
// alike: Intel MPI hangs if each rank has an order of its own, which the standard allows.
// needs: MPI_Allreduce_init
// expect: nothing
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, value, sum;
    MPI_Request requests[3];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Bcast_init(&value, 1, MPI_INT, 1, MPI_COMM_WORLD, MPI_INFO_NULL, &requests[0]);
    MPI_Allreduce_init(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, MPI_INFO_NULL, &requests[1]);
    MPI_Barrier_init(MPI_COMM_WORLD, MPI_INFO_NULL, &requests[2]);
    for (int round = 0; round < 3; round++) {
        value = rank == 1 ? round : -1;
        sum = 0;
        MPI_Start(&requests[1 - round % 2]);
        MPI_Start(&requests[round % 2]);
        MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
        require(value == round && sum == size * (size - 1) / 2);
        MPI_Start(&requests[2]);
        MPI_Wait(&requests[2], MPI_STATUS_IGNORE);
    }
    for (int i = 0; i < 3; i++)
        MPI_Request_free(&requests[i]);
    if (rank == 0)
        puts("started again and again");
    MPI_Finalize();
    return 0;
}
