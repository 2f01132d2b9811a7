// Rank 0 makes a persistent send and forgets MPI_Start: MPI_Wait returns at once, and rank 1 waits for ever.
// expect: error deadlock/missing-rank
// expect: warning request/never-started
// ends: hang
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, value = 1;
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        MPI_Send_init(&value, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, &request); // <- request/never-started
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        MPI_Request_free(&request);
    }
    if (rank == 1)
        MPI_Recv(&value, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- deadlock/missing-rank
    MPI_Finalize();
    return 0;
}
