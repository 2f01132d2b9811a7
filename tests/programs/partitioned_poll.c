// Rank 1 polls for a part of a message that rank 0 made a request for and never started.
// needs: MPI_Psend_init
// expect: error deadlock/missing-rank
// expect: warning request/never-started
// ends: hang
#include "require.h"

int main(int argc, char **argv) {
    int rank, data[4] = {0}, there = 0;
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0)
        MPI_Psend_init(data, 4, 1, MPI_INT, 1, 5, MPI_COMM_WORLD, MPI_INFO_NULL, &request);  // <- request/never-started
    if (rank == 1) {
        MPI_Precv_init(data, 4, 1, MPI_INT, 0, 5, MPI_COMM_WORLD, MPI_INFO_NULL, &request);
        MPI_Start(&request);
        while (!there)
            MPI_Parrived(request, 2, &there);  // <- deadlock/missing-rank
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        MPI_Request_free(&request);
    }
    MPI_Finalize();
    return 0;
}
