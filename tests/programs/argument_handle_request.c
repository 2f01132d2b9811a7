// Rank 0 waits twice for one request, the second time by a copy of its handle.
// expect: error argument/handle
// ends: failure
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, x = 0;
    MPI_Request request, copy;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 1)
        MPI_Send(&x, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
    if (rank == 0) {
        MPI_Irecv(&x, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, &request);
        copy = request;
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        MPI_Wait(&copy, MPI_STATUS_IGNORE); // <- argument/handle
    }
    MPI_Finalize();
    return 0;
}
