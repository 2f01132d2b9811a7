// Rank 1 reads the buffer of a nonblocking receive, in a function of its own, before it has completed it. The others wait first.
// record: --guard
// expect: error buffer/touched
#include "require.h"

enum { COUNT = 5000 };

static double sum(const double* x, int count) {
    double all = 0;
    for (int i = 0; i < count; i++) all += x[i];  // <- buffer/touched
    return all;
}

int main(int argc, char** argv) {
    int rank, size;
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    double *x = malloc(COUNT * sizeof *x), *y = calloc(COUNT, sizeof *y);
    for (int i = 0; i < COUNT; i++) x[i] = i;
    MPI_Irecv(y, COUNT, MPI_DOUBLE, (rank + size - 1) % size, 0, MPI_COMM_WORLD, &request);  // <- buffer/touched
    MPI_Send(x, COUNT, MPI_DOUBLE, (rank + 1) % size, 0, MPI_COMM_WORLD);
    if (rank == 1) require(sum(y, COUNT) >= 0);
    MPI_Wait(&request, MPI_STATUS_IGNORE);                                                   // <- buffer/touched
    require(sum(y, COUNT) == COUNT / 2 * (COUNT - 1.0));
    free(x);
    free(y);
    MPI_Finalize();
    return 0;
}
