// Rank 1 sends to rank 2, which waits for the message from rank 0.
// expect: error match/source
// ends: hang
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, value = 42;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 1)
        MPI_Send(&value, 1, MPI_INT, 2, 5, MPI_COMM_WORLD); // <- match/source
    if (rank == 2)
        MPI_Recv(&value, 1, MPI_INT, 0, 5, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- match/source
    MPI_Finalize();
    return 0;
}
