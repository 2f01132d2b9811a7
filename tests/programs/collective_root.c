// Ranks 0 to 2 broadcast from rank 0, rank 3 from rank 1.
// expect: error collective/root
// ends: anyhow
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, value = 1;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank < 3)
        MPI_Bcast(&value, 1, MPI_INT, 0, MPI_COMM_WORLD); // <- collective/root
    else
        MPI_Bcast(&value, 1, MPI_INT, 1, MPI_COMM_WORLD); // <- collective/root
    MPI_Finalize();
    return 0;
}
