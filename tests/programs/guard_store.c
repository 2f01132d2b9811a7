// Each rank writes to the buffer of a large nonblocking send before it has completed it, and reads it, which it may.
// record: --guard
// expect: error buffer/reused
#include "require.h"

enum { COUNT = 50000 };

int main(int argc, char** argv) {
    int rank, size;
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int *x = malloc(COUNT * sizeof *x), *y = malloc(COUNT * sizeof *y);
    for (int i = 0; i < COUNT; i++) x[i] = i;
    MPI_Isend(x, COUNT, MPI_INT, (rank + 1) % size, 0, MPI_COMM_WORLD, &request);  // <- buffer/reused
    require(x[COUNT / 2] == COUNT / 2);
    x[COUNT / 2] = -1;                                                             // <- buffer/reused
    x[COUNT / 2 + 1] = -1;
    MPI_Recv(y, COUNT, MPI_INT, (rank + size - 1) % size, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Wait(&request, MPI_STATUS_IGNORE);                                         // <- buffer/reused
    require(y[0] == 0 && y[COUNT - 1] == COUNT - 1 && x[COUNT / 2] == -1);
    free(x);
    free(y);
    MPI_Finalize();
    return 0;
}
