// Rank 1, of the one group, waits for a message that rank 0, of the other, sends after a barrier between the groups.
// expect: error deadlock/cycle
// ends: hang
#include "require.h"

int main(int argc, char **argv) {
    int rank, x = 0;
    MPI_Comm half, across;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &half);
    MPI_Intercomm_create(half, 0, MPI_COMM_WORLD, 1 - rank % 2, 12, &across);
    if (rank == 1)
        MPI_Recv(&x, 1, MPI_INT, 0, 7, across, MPI_STATUS_IGNORE);  // <- deadlock/cycle
    MPI_Barrier(across);  // <- deadlock/cycle
    if (rank == 0)
        MPI_Send(&x, 1, MPI_INT, 0, 7, across);
    MPI_Comm_free(&across);
    MPI_Comm_free(&half);
    MPI_Finalize();
    return 0;
}
