// Rank 1 waits for a message that no rank ever sends.
// expect: error deadlock/missing-rank
// ends: hang
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, value;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 1)
        MPI_Recv(&value, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- deadlock/missing-rank
    MPI_Finalize();
    return 0;
}
