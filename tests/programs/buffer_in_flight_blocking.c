// Each rank sends from the numbers that a receive under way may write at any time.
// expect: error buffer/in-flight
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, values[8] = {0};
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Irecv(values, 4, MPI_INT, (rank + size - 1) % size, 0, MPI_COMM_WORLD, &request);
    MPI_Send(values + 3, 4, MPI_INT, (rank + 1) % size, 0, MPI_COMM_WORLD); // <- buffer/in-flight
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Finalize();
    return 0;
}
