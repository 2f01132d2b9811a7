// Everybody tells rank 0 that it is ready, with the same message; rank 0 does not ask who it was. Which one comes first cannot matter.
// expect: dismissed race/wildcard
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, ready = 1, sum = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0) {
        for (int i = 1; i < size; i++) {
            int value;
            MPI_Recv(&value, 1, MPI_INT, MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- race/wildcard
            sum += value;
        }
        require(sum == size - 1);
    } else {
        MPI_Send(&ready, 1, MPI_INT, 0, 0, MPI_COMM_WORLD); // <- race/wildcard
    }
    MPI_Finalize();
    return 0;
}
