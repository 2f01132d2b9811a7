// Rank 0 looks how long a message is, and then receives whichever is there.
// expect: warning race/probe
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, values[64] = {0};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0) {
        for (int i = 1; i < size; i++) {
            MPI_Status status;
            MPI_Probe(MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &status); // <- race/probe
            MPI_Recv(values, 64, MPI_INT, MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &status); // <- race/probe
        }
    } else {
        MPI_Send(values, rank, MPI_INT, 0, 0, MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
