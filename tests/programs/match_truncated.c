// Rank 0 sends eight numbers, rank 1 has room for four.
// expect: error match/truncated
// ends: anyhow
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, values[8] = {0};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0)
        MPI_Send(values, 8, MPI_INT, 1, 0, MPI_COMM_WORLD); // <- match/truncated
    if (rank == 1)
        MPI_Recv(values, 4, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- match/truncated
    MPI_Finalize();
    return 0;
}
