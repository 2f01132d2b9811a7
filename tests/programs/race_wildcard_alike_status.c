// Everybody tells rank 0 that it is ready, with the same message; rank 0 gives a status, and so may look whose it was.
// expect: note race/wildcard
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, ready = 1;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0) {
        MPI_Status statuses[64];
        MPI_Request requests[64];
        int values[64];
        for (int i = 1; i < size; i++)
            MPI_Irecv(&values[i], 1, MPI_INT, MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &requests[i - 1]); // <- race/wildcard
        MPI_Waitall(size - 1, requests, statuses);
    } else {
        MPI_Send(&ready, 1, MPI_INT, 0, 0, MPI_COMM_WORLD); // <- race/wildcard
    }
    MPI_Finalize();
    return 0;
}
