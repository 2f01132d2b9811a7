// Every rank sends to itself, on MPI_COMM_WORLD and on MPI_COMM_SELF, where the rank is 0.
// expect: nothing
#include "require.h"

int main(int argc, char **argv) {
    int rank, world, self;
    MPI_Request requests[2];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (int round = 0; round < 5; round++) {
        MPI_Irecv(&world, 1, MPI_INT, rank, round, MPI_COMM_WORLD, &requests[0]);
        MPI_Irecv(&self, 1, MPI_INT, 0, round, MPI_COMM_SELF, &requests[1]);
        int other = -rank;
        MPI_Send(&rank, 1, MPI_INT, rank, round, MPI_COMM_WORLD);
        MPI_Send(&other, 1, MPI_INT, 0, round, MPI_COMM_SELF);
        MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
        require(world == rank && self == -rank);
    }
    if (rank == 0)
        puts("to myself");
    MPI_Finalize();
    return 0;
}
