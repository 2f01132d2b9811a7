// Rank 0 counts the parts of its message from 1, which ends it, or crashes, or passes.
// needs: MPI_Psend_init
// expect: error request/partition
// ends: anyhow
#include "require.h"

#include <stdlib.h>

int main(int argc, char **argv) {
    int rank, data[4] = {0};
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) {
        MPI_Psend_init(data, 2, 2, MPI_INT, 1, 5, MPI_COMM_WORLD, MPI_INFO_NULL, &request);
        MPI_Start(&request);
        MPI_Pready_range(1, 2, request);  // <- request/partition
    }
    if (rank == 1) {
        MPI_Precv_init(data, 2, 2, MPI_INT, 0, 5, MPI_COMM_WORLD, MPI_INFO_NULL, &request);
        MPI_Start(&request);
    }
    exit(0);
}
