// Rank 0 gives every worker a part of the work and adds up what comes back, in whatever order: no schedule gets stuck.
// expect: note race/wildcard
#include "require.h"

enum { WORK = 1, RESULT = 2 };

int main(int argc, char **argv) {
    int rank, size, sum = 0, part;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0) {
        for (int worker = 1; worker < size; worker++)
            MPI_Send(&worker, 1, MPI_INT, worker, WORK, MPI_COMM_WORLD);
        for (int worker = 1; worker < size; worker++) {
            MPI_Recv(&part, 1, MPI_INT, MPI_ANY_SOURCE, RESULT, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- race/wildcard
            sum += part;
        }
        require(sum == size * (size - 1) / 2);
    } else {
        MPI_Recv(&part, 1, MPI_INT, 0, MPI_ANY_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Send(&part, 1, MPI_INT, 0, RESULT, MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
