// Rank 3 expects one number of a broadcast of two. Most libraries refuse that, some hang.
// expect: error collective/type
// ends: anyhow
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, values[2] = {1, 2};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank < 3)
        MPI_Bcast(values, 2, MPI_INT, 0, MPI_COMM_WORLD); // <- collective/type
    else
        MPI_Bcast(values, 1, MPI_INT, 0, MPI_COMM_WORLD); // <- collective/type
    MPI_Finalize();
    return 0;
}
