// Rank 0 takes one value or two, whichever rank is faster, with room for both.
// expect: note race/wildcard
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, values[2] = {1, 2};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    require(size == 4);
    if (rank == 0) {
        for (int i = 0; i < size - 2; i++)
            MPI_Recv(values, 2, MPI_INT, MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- race/wildcard
    } else if (rank == 1) {
        MPI_Send(values, 1, MPI_INT, 0, 0, MPI_COMM_WORLD); // <- race/wildcard
    } else if (rank == 2) {
        MPI_Send(values, 2, MPI_INT, 0, 0, MPI_COMM_WORLD); // <- race/wildcard
    }
    MPI_Finalize();
    return 0;
}
