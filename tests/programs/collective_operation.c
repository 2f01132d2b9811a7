// Rank 3 takes the maximum where the others take the sum.
// expect: error collective/operation
// ends: anyhow
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, result;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank < 3)
        MPI_Allreduce(&rank, &result, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD); // <- collective/operation
    else
        MPI_Allreduce(&rank, &result, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD); // <- collective/operation
    MPI_Finalize();
    return 0;
}
