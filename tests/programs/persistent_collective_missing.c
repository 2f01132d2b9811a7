// Every rank makes the same persistent barrier; rank 3 does not start it the second time.
// needs: MPI_Barrier_init
// expect: error deadlock/missing-rank
// ends: hang
#include "require.h"

int main(int argc, char **argv) {
    int rank;
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Barrier_init(MPI_COMM_WORLD, MPI_INFO_NULL, &request);
    for (int round = 0; round < (rank == 3 ? 1 : 2); round++) {
        MPI_Start(&request);
        MPI_Wait(&request, MPI_STATUS_IGNORE);  // <- deadlock/missing-rank
    }
    MPI_Request_free(&request);
    MPI_Finalize();
    return 0;
}
