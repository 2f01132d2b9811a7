// Each rank writes to the buffer of a nonblocking receive before it has completed it. The same bytes are received there afterwards or not.
// record: --landing
// expect: error buffer/touched
#include "require.h"

int main(int argc, char** argv) {
    int rank, size, x[4] = {1, 2, 3, 4}, y[6] = {0};
    MPI_Request request;
    MPI_Status status;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    // There is room for more than is sent.
    MPI_Irecv(y, 6, MPI_INT, (rank + size - 1) % size, 0, MPI_COMM_WORLD, &request);  // <- buffer/touched
    MPI_Send(x, 4, MPI_INT, (rank + 1) % size, 0, MPI_COMM_WORLD);
    y[1] = 7;
    y[5] = 8;
    MPI_Wait(&request, &status);                                                      // <- buffer/touched
    int count;
    MPI_Get_count(&status, MPI_INT, &count);
    require(count == 4 && y[0] == 1 && y[1] == 2 && y[2] == 3 && y[3] == 4 && y[4] == 0 && y[5] == 8);
    MPI_Finalize();
    return 0;
}
