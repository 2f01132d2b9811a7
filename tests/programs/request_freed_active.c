// Rank 0 frees the request of a receive that is under way: it will never know whether the message has come.
// expect: warning request/freed-active
#include "require.h"

int main(int argc, char** argv) {
    int rank, x = 0;
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        MPI_Irecv(&x, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, &request);  // <- request/freed-active
        MPI_Request_free(&request);  // <- request/freed-active
    }
    if (rank == 1) MPI_Send(&x, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
