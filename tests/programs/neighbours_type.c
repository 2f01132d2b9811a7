// On a ring of all ranks, rank 1 expects two numbers from each of its neighbours, who send one.
// expect: error collective/type
// ends: anyhow
#include "require.h"

int main(int argc, char** argv) {
    int rank, size, periodic = 1, from[4] = {0};
    MPI_Comm ring;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Cart_create(MPI_COMM_WORLD, 1, &size, &periodic, 0, &ring);
    MPI_Neighbor_allgather(&rank, 1, MPI_INT, from, rank == 1 ? 2 : 1, MPI_INT, ring);  // <- collective/type
    MPI_Comm_free(&ring);
    MPI_Finalize();
    return 0;
}
