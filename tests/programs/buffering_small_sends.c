// Ranks 0 and 1 send each other a small message before they receive: it works only while the library buffers them.
// expect: warning deadlock/buffering
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, mine = 1, theirs;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank < 2) {
        MPI_Send(&mine, 1, MPI_INT, 1 - rank, 0, MPI_COMM_WORLD); // <- deadlock/buffering
        MPI_Recv(&theirs, 1, MPI_INT, 1 - rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    MPI_Finalize();
    return 0;
}
