// Rank 1 posts a receive that nobody sends to, and frees its request without waiting for it.
// expect: error match/orphan-recv
// expect: warning request/freed-active
// ends: ok
#include <mpi.h>

int main(int argc, char **argv) {
    int rank;
    static int value;
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 1) {
        MPI_Irecv(&value, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, &request); // <- match/orphan-recv
        MPI_Request_free(&request);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
