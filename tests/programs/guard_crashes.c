// Rank 2 follows a null pointer while buffers are under way: that ends the program as it does without anything being guarded.
// record: --guard
// expect: warning run/unfinished
// ends: failure
#include "require.h"

int main(int argc, char** argv) {
    int rank, size;
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int* y = calloc(5000, sizeof *y);
    MPI_Irecv(y, 5000, MPI_INT, (rank + size - 1) % size, 0, MPI_COMM_WORLD, &request);  // <- run/unfinished
    if (rank == 2) *(int* volatile)NULL = 1;
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Finalize();
    return 0;
}
