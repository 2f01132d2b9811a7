// Rank 1 writes to the buffer of a persistent send between MPI_Start and MPI_Wait, in a loop; the other ranks write after MPI_Wait, and
// before the next MPI_Start.
// expect: error buffer/reused
#include "require.h"

int main(int argc, char** argv) {
    int rank, size;
    double x[1000] = {0}, y[1000];
    MPI_Request send;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Send_init(x, 1000, MPI_DOUBLE, (rank + 1) % size, 0, MPI_COMM_WORLD, &send);
    for (int round = 0; round < 3; round++) {
        MPI_Start(&send);                     // <- buffer/reused
        MPI_Recv(y, 1000, MPI_DOUBLE, (rank + size - 1) % size, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (rank == 1) x[999] = round + 1;
        MPI_Wait(&send, MPI_STATUS_IGNORE);   // <- buffer/reused
        x[0] = round + 1;
    }
    MPI_Request_free(&send);
    MPI_Finalize();
    return 0;
}
