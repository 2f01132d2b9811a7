// Rank 0 probes and receives from any source, but only one rank can have sent by then: each waits for the one before it.
// expect: nothing
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, values[64] = {0};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    for (int i = 1; i < size; i++) {
        if (rank == i)
            MPI_Send(values, rank, MPI_INT, 0, 0, MPI_COMM_WORLD);
        if (rank == 0) {
            MPI_Probe(MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            MPI_Recv(values, i, MPI_INT, MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        }
        MPI_Barrier(MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
