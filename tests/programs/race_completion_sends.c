// Rank 0 waits for its sends, one after the other as they complete, and calls nothing else until all are: the order cannot matter.
// expect: dismissed race/completion
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, value = 1;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0) {
        MPI_Request requests[64];
        for (int i = 1; i < size; i++)
            MPI_Isend(&value, 1, MPI_INT, i, 0, MPI_COMM_WORLD, &requests[i - 1]); // <- race/completion
        for (int i = 1; i < size; i++) {
            int index;
            MPI_Waitany(size - 1, requests, &index, MPI_STATUS_IGNORE); // <- race/completion
        }
    } else {
        MPI_Recv(&value, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    MPI_Finalize();
    return 0;
}
