// Rank 0 waits for a message of the process that it started, which waits for one of rank 0. The other ranks wait for rank 0.
// needs: MPI_Comm_spawn
// expect: error deadlock/cycle
// ends: hang
#include "require.h"

int main(int argc, char **argv) {
    int x = 0, error;
    MPI_Comm parent, child;
    MPI_Init(&argc, &argv);
    MPI_Comm_get_parent(&parent);
    if (parent == MPI_COMM_NULL) {
        MPI_Comm_spawn(argv[0], MPI_ARGV_NULL, 1, MPI_INFO_NULL, 0, MPI_COMM_WORLD, &child, &error);
        int rank;
        MPI_Comm_rank(MPI_COMM_WORLD, &rank);
        if (rank == 0) {
            MPI_Recv(&x, 1, MPI_INT, 0, 5, child, MPI_STATUS_IGNORE);  // <- deadlock/cycle
            MPI_Send(&x, 1, MPI_INT, 0, 6, child);
        }
        MPI_Comm_disconnect(&child);
    } else {
        MPI_Recv(&x, 1, MPI_INT, 0, 6, parent, MPI_STATUS_IGNORE);  // <- deadlock/cycle
        MPI_Send(&x, 1, MPI_INT, 0, 5, parent);
        MPI_Comm_disconnect(&parent);
    }
    MPI_Finalize();
    return 0;
}
