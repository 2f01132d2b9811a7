// Rank 0 sees whose message is there, makes room for it, and takes that one: correct, and in whatever order they come.
// expect: note race/wildcard
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, values[64] = {0};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0) {
        for (int i = 1; i < size; i++) {
            int count;
            MPI_Status status;
            MPI_Probe(MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &status); // <- race/wildcard
            MPI_Get_count(&status, MPI_INT, &count);
            require(count == status.MPI_SOURCE);
            MPI_Recv(values, count, MPI_INT, status.MPI_SOURCE, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        }
    } else {
        MPI_Send(values, rank, MPI_INT, 0, 0, MPI_COMM_WORLD); // <- race/wildcard
    }
    MPI_Finalize();
    return 0;
}
