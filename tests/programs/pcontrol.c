// The program switches its recording off, and on again: what is missing in between is no mistake of the program's.
// expect: undecided
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, mine, theirs = -1, sum;
    MPI_Comm half;
    MPI_Request across;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int left = (rank + size - 1) % size, right = (rank + 1) % size;
    mine = rank;
    MPI_Irecv(&theirs, 1, MPI_INT, left, 1, MPI_COMM_WORLD, &across);
    if (rank > 0)
        MPI_Pcontrol(0);
    MPI_Send(&mine, 1, MPI_INT, right, 1, MPI_COMM_WORLD);
    for (int i = 0; i < 100; i++)
        MPI_Allreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &half);
    MPI_Wait(&across, MPI_STATUS_IGNORE);
    require(theirs == left && sum == size * (size - 1) / 2);
    MPI_Pcontrol(1);
    MPI_Pcontrol(2, "with more arguments", 3.0);
    MPI_Allreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, half);
    MPI_Sendrecv(&mine, 1, MPI_INT, right, 2, &theirs, 1, MPI_INT, left, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Comm_free(&half);
    MPI_Finalize();
    return 0;
}
