// Rank 1 sends on MPI_COMM_WORLD, rank 2 waits on a duplicate of it.
// expect: error match/communicator
// ends: hang
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, value = 42;
    MPI_Comm twin;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_dup(MPI_COMM_WORLD, &twin);
    if (rank == 1)
        MPI_Send(&value, 1, MPI_INT, 2, 5, MPI_COMM_WORLD); // <- match/communicator
    if (rank == 2)
        MPI_Recv(&value, 1, MPI_INT, 1, 5, twin, MPI_STATUS_IGNORE); // <- match/communicator
    MPI_Comm_free(&twin);
    MPI_Finalize();
    return 0;
}
