// Rank 0 answers whichever rank's message is complete first, before it waits for the next: what MPI_Waitany is for.
// expect: note race/completion
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, values[64] = {0};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0) {
        MPI_Request requests[64];
        for (int i = 1; i < size; i++)
            MPI_Irecv(&values[i], 1, MPI_INT, i, 0, MPI_COMM_WORLD, &requests[i - 1]); // <- race/completion
        for (int i = 1; i < size; i++) {
            int index;
            MPI_Waitany(size - 1, requests, &index, MPI_STATUS_IGNORE); // <- race/completion
            MPI_Send(&i, 1, MPI_INT, index + 1, 0, MPI_COMM_WORLD);
        }
    } else {
        MPI_Send(&rank, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
        MPI_Recv(&values[0], 1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    MPI_Finalize();
    return 0;
}
