// Ranks 0 and 1 each wait for the other's message before they send their own.
// expect: error deadlock/cycle
// ends: hang
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, mine = 1, theirs;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank < 2) {
        MPI_Recv(&theirs, 1, MPI_INT, 1 - rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- deadlock/cycle
        MPI_Send(&mine, 1, MPI_INT, 1 - rank, 0, MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
