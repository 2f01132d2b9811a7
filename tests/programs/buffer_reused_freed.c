// Rank 0 sends a large message and frees the request, which is allowed; and then writes to the buffer, before rank 1 is there to receive it, so
// that other data arrives. No call completes the send, but what arrived is not what was sent.
// expect: error buffer/reused
// expect: warning request/freed-active
#include "require.h"

#define COUNT (1 << 20)

int main(int argc, char** argv) {
    int rank;
    double* x = calloc(COUNT, sizeof(double));
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        MPI_Isend(x, COUNT, MPI_DOUBLE, 1, 0, MPI_COMM_WORLD, &request);                   // <- buffer/reused
        MPI_Request_free(&request);
        for (int i = 0; i < COUNT; i++) x[i] = 1;
    }
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 1)
        MPI_Recv(x, COUNT, MPI_DOUBLE, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);           // <- buffer/reused
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    free(x);
    return 0;
}
