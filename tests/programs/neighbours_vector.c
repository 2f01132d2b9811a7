// On a chain, each rank sends one number down and two up, which is right; but rank 2 expects as many from below as from above.
// expect: error collective/type
// ends: anyhow
#include "require.h"

int main(int argc, char** argv) {
    int rank, size, periodic = 0, data[4] = {1, 0, 2, 3}, from[4] = {0}, starts[2] = {0, 2};
    int sends[2] = {1, 2}, receives[2] = {2, 1};
    MPI_Comm chain;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Cart_create(MPI_COMM_WORLD, 1, &size, &periodic, 0, &chain);
    MPI_Neighbor_alltoallv(data, sends, starts, MPI_INT, from, receives, starts, MPI_INT, chain);
    if (rank == 2) receives[0] = 1;
    MPI_Neighbor_alltoallv(data, sends, starts, MPI_INT, from, receives, starts, MPI_INT, chain);  // <- collective/type
    MPI_Comm_free(&chain);
    MPI_Finalize();
    return 0;
}
