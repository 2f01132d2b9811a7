// MPI_Sendrecv and MPI_Sendrecv_replace, which never deadlock, round a ring and in pairs.
// expect: nothing
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, from;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int right = (rank + 1) % size, left = (rank + size - 1) % size, value = rank;
    MPI_Sendrecv(&rank, 1, MPI_INT, right, 1, &from, 1, MPI_INT, left, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    require(from == left);
    MPI_Sendrecv_replace(&value, 1, MPI_INT, rank ^ 1, 2, rank ^ 1, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    require(value == (rank ^ 1));
    if (rank == 0)
        puts("exchanged");
    MPI_Finalize();
    return 0;
}
