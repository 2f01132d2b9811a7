// Ranks 0 and 1 send each other a message that no library buffers before they receive.
// expect: error deadlock/cycle
// ends: hang
#include <mpi.h>

enum { COUNT = 1 << 22 };
static int mine[COUNT], theirs[COUNT];

int main(int argc, char **argv) {
    int rank;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank < 2) {
        MPI_Send(mine, COUNT, MPI_INT, 1 - rank, 0, MPI_COMM_WORLD); // <- deadlock/cycle
        MPI_Recv(theirs, COUNT, MPI_INT, 1 - rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    MPI_Finalize();
    return 0;
}
