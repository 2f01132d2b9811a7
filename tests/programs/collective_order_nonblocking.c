// Rank 0 enters the barrier by MPI_Ibarrier, the others by MPI_Barrier: the two never match.
// expect: error collective/order
// ends: anyhow
#include <mpi.h>

int main(int argc, char **argv) {
    int rank;
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        MPI_Ibarrier(MPI_COMM_WORLD, &request); // <- collective/order
        MPI_Wait(&request, MPI_STATUS_IGNORE);
    } else {
        MPI_Barrier(MPI_COMM_WORLD); // <- collective/order
    }
    MPI_Finalize();
    return 0;
}
