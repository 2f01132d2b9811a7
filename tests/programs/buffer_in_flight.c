// Rank 0 has two receives under way that write to the same number.
// expect: error buffer/in-flight
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, value = 0;
    MPI_Request requests[2];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0) {
        MPI_Irecv(&value, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, &requests[0]);
        MPI_Irecv(&value, 1, MPI_INT, 2, 0, MPI_COMM_WORLD, &requests[1]); // <- buffer/in-flight
        MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    } else if (rank < 3) {
        MPI_Send(&rank, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
