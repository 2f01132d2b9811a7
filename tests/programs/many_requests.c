// Every rank has so many requests at a time that a trace does not keep which ones, and completes them by one call. How many may be said.
// expect: nothing
#include "require.h"
#include <stdlib.h>

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 20000;
    MPI_Request *requests = malloc(count * sizeof *requests);
    int *received = malloc(count * sizeof *received);
    require(requests && received);
    MPI_Init(&argc, &argv);
    for (int n = 0; n < count; n++)
        MPI_Irecv(&received[n], 1, MPI_INT, 0, n % 100, MPI_COMM_SELF, &requests[n]);
    for (int n = 0; n < count; n++)
        MPI_Send(&n, 1, MPI_INT, 0, n % 100, MPI_COMM_SELF);
    MPI_Waitall(count, requests, MPI_STATUSES_IGNORE);
    for (int n = 0; n < count; n++)
        require(received[n] == n);
    MPI_Finalize();
    free(requests), free(received);
    return 0;
}
