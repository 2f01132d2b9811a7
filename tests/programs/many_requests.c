// Every rank has so many requests at a time that their numbers are not kept in the trace, and completes them by one call.
// expect: nothing
#include "require.h"
#include <stdlib.h>

enum { COUNT = 20000 };

int main(int argc, char **argv) {
    int rank, size;
    MPI_Request *requests = malloc(2 * COUNT * sizeof *requests);
    int *sent = malloc(COUNT * sizeof *sent), *received = malloc(COUNT * sizeof *received);
    require(requests && sent && received);
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int to = (rank + 1) % size, from = (rank + size - 1) % size;
    for (int n = 0; n < COUNT; n++)
        MPI_Irecv(&received[n], 1, MPI_INT, from, n % 100, MPI_COMM_WORLD, &requests[n]);
    for (int n = 0; n < COUNT; n++) {
        sent[n] = n;
        MPI_Isend(&sent[n], 1, MPI_INT, to, n % 100, MPI_COMM_WORLD, &requests[COUNT + n]);
    }
    MPI_Waitall(2 * COUNT, requests, MPI_STATUSES_IGNORE);
    for (int n = 0; n < COUNT; n++)
        require(received[n] == n);
    MPI_Finalize();
    free(requests), free(sent), free(received);
    return 0;
}
