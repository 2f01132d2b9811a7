// Rank 3 goes to MPI_Finalize while the others wait for it in a reduction.
// expect: error deadlock/missing-rank
// ends: hang
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, sum = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank != 3)
        MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD); // <- deadlock/missing-rank
    MPI_Finalize();
    return 0;
}
