// Each rank writes to the buffer of a nonblocking send before it has completed it. The message is small, and has long been sent.
// expect: error buffer/reused
#include "require.h"

int main(int argc, char** argv) {
    int rank, size, x[4] = {1, 2, 3, 4}, y[4];
    MPI_Request requests[2];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Irecv(y, 4, MPI_INT, (rank + size - 1) % size, 0, MPI_COMM_WORLD, &requests[0]);
    MPI_Isend(x, 4, MPI_INT, (rank + 1) % size, 0, MPI_COMM_WORLD, &requests[1]);  // <- buffer/reused
    x[2] = 7;
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);                                 // <- buffer/reused
    MPI_Finalize();
    return 0;
}
