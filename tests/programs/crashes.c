// Rank 1 writes through a null pointer while the others wait for it in a barrier.
// expect: warning run/unfinished
// ends: failure
#include <mpi.h>
#include <stddef.h>

int main(int argc, char **argv) {
    int rank;
    volatile int *volatile nowhere = NULL;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Barrier(MPI_COMM_WORLD); // <- run/unfinished
    if (rank == 1)
        *nowhere = 1;
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
