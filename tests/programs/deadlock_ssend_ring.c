// A ring in which every rank sends synchronously to its right before it receives from its left.
// expect: error deadlock/cycle
// ends: hang
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, size, mine, theirs;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    mine = rank;
    MPI_Ssend(&mine, 1, MPI_INT, (rank + 1) % size, 0, MPI_COMM_WORLD); // <- deadlock/cycle
    MPI_Recv(&theirs, 1, MPI_INT, (rank + size - 1) % size, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Finalize();
    return 0;
}
