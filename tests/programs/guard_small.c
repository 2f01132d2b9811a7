// Small buffers that share a page with other variables: rank 0 writes to one that is sent, rank 1 to one that is received into. What lies beside
// them may be used.
// record: --guard
// expect: error buffer/reused
// expect: error buffer/touched
#include "require.h"

static _Alignas(4096) struct {
    int before, received[3], between, sent[3], after, rest[1013];
} all = {.sent = {1, 2, 3}};

int main(int argc, char** argv) {
    int rank, size;
    MPI_Request requests[2];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int right = (rank + 1) % size, left = (rank + size - 1) % size;
    MPI_Irecv(all.received, 3, MPI_INT, left, 0, MPI_COMM_WORLD, &requests[0]);  // <- buffer/touched
    MPI_Isend(all.sent, 3, MPI_INT, right, 0, MPI_COMM_WORLD, &requests[1]);      // <- buffer/reused
    all.before = all.between = all.after = rank;
    if (rank == 0) all.sent[2] = 4;                                                     // <- buffer/reused
    if (rank == 1) all.received[0] = 5;                                                 // <- buffer/touched
    require(all.before == rank && all.between == rank && all.after == rank);
    MPI_Wait(&requests[0], MPI_STATUS_IGNORE);                                          // <- buffer/touched
    MPI_Wait(&requests[1], MPI_STATUS_IGNORE);                                          // <- buffer/reused
    require(all.received[0] == 1 && all.received[1] == 2);
    MPI_Finalize();
    return 0;
}
