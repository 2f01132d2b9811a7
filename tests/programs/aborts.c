// Rank 2 finds that something is wrong and calls MPI_Abort while the others wait in a barrier: not a bug of its communication.
// expect: warning run/aborted
// ends: failure
#include <mpi.h>

int main(int argc, char **argv) {
    int rank;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 2)
        MPI_Abort(MPI_COMM_WORLD, 3); // <- run/aborted
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
