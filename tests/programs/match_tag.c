// Rank 1 sends with tag 8, rank 2 waits for tag 7.
// expect: error match/tag
// ends: hang
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, value = 42;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 1)
        MPI_Send(&value, 1, MPI_INT, 2, 8, MPI_COMM_WORLD); // <- match/tag
    if (rank == 2)
        MPI_Recv(&value, 1, MPI_INT, 1, 7, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- match/tag
    MPI_Finalize();
    return 0;
}
