// Rank 3 leaves main without MPI_Finalize while the others wait for it in a barrier.
// expect: warning run/unfinished
// ends: by itself
#include <mpi.h>

int main(int argc, char **argv) {
    int rank;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Barrier(MPI_COMM_WORLD); // <- run/unfinished
    if (rank == 3)
        return 0;
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
