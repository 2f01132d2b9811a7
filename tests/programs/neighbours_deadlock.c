// In a ring where each rank sends to the next, rank 3 needs what rank 2 gives in a neighbourhood collective, and rank 2 waits, before its own
// call, for a message that rank 3 sends after it.
// expect: error deadlock/cycle
// ends: hang
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, from, x = 0;
    MPI_Comm ring;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int left = (rank + size - 1) % size, right = (rank + 1) % size;
    MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, 1, &left, MPI_UNWEIGHTED, 1, &right, MPI_UNWEIGHTED, MPI_INFO_NULL, 0,
                                   &ring);
    if (rank == 2)
        MPI_Recv(&x, 1, MPI_INT, 3, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // <- deadlock/cycle
    MPI_Neighbor_allgather(&rank, 1, MPI_INT, &from, 1, MPI_INT, ring);  // <- deadlock/cycle
    if (rank == 3)
        MPI_Send(&x, 1, MPI_INT, 2, 0, MPI_COMM_WORLD);
    MPI_Comm_free(&ring);
    MPI_Finalize();
    return 0;
}
