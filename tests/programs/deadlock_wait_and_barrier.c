// Rank 0 waits for a message that rank 1 would send only after the barrier, which rank 0 has not reached.
// expect: error deadlock/cycle
// ends: hang
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, value = 7;
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        MPI_Irecv(&value, 1, MPI_INT, 1, 3, MPI_COMM_WORLD, &request);
        MPI_Wait(&request, MPI_STATUS_IGNORE); // <- deadlock/cycle
        MPI_Barrier(MPI_COMM_WORLD);
    } else {
        MPI_Barrier(MPI_COMM_WORLD); // <- deadlock/cycle
        if (rank == 1)
            MPI_Send(&value, 1, MPI_INT, 0, 3, MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
