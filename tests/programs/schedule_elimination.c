// Gaussian elimination: the owner of each pivot sends it to all others, who take it from anybody, and messages by name keep the steps
// apart: no schedule gets stuck, and each receive can take only one message.
// expect: nothing
#include "require.h"

enum { PIVOT = 1, ARRIVED = 2, GO = 3 };

static void meet(int rank, int size) {
    int nothing = 0;
    if (rank != 0) {
        MPI_Send(&nothing, 1, MPI_INT, 0, ARRIVED, MPI_COMM_WORLD);
        MPI_Recv(&nothing, 1, MPI_INT, 0, GO, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        return;
    }
    for (int other = 1; other < size; other++)
        MPI_Recv(&nothing, 1, MPI_INT, other, ARRIVED, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    for (int other = 1; other < size; other++)
        MPI_Send(&nothing, 1, MPI_INT, other, GO, MPI_COMM_WORLD);
}

int main(int argc, char **argv) {
    int rank, size;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    for (int owner = 0; owner < size; owner++) {
        int pivot = owner;
        if (rank == owner) {
            for (int other = 0; other < size; other++)
                if (other != owner)
                    MPI_Send(&pivot, 1, MPI_INT, other, PIVOT, MPI_COMM_WORLD);
        } else {
            MPI_Recv(&pivot, 1, MPI_INT, MPI_ANY_SOURCE, PIVOT, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            require(pivot == owner);
        }
        meet(rank, size);
    }
    MPI_Finalize();
    return 0;
}
