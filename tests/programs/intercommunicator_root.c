// The group of the even ranks sends from rank 0; rank 3, of the other group, expects it from rank 2.
// expect: error collective/root
// ends: anyhow
#include "require.h"

int main(int argc, char **argv) {
    int rank, x = 0;
    MPI_Comm half, across;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &half);
    MPI_Intercomm_create(half, 0, MPI_COMM_WORLD, 1 - rank % 2, 12, &across);
    int root = rank % 2 ? (rank == 3 ? 1 : 0) : rank == 0 ? MPI_ROOT : MPI_PROC_NULL;
    MPI_Bcast(&x, 1, MPI_INT, root, across);  // <- collective/root
    MPI_Comm_free(&across);
    MPI_Comm_free(&half);
    MPI_Finalize();
    return 0;
}
