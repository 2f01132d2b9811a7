// Rank 0 asks again and again for a message with tag 5, by MPI_Iprobe; rank 1 sends tag 6.
// expect: error match/tag
// ends: hang
#include "require.h"

int main(int argc, char** argv) {
    int rank, x = 0, flag = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        while (!flag)
            MPI_Iprobe(1, 5, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE);  // <- match/tag
        MPI_Recv(&x, 1, MPI_INT, 1, 5, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    if (rank == 1)
        MPI_Send(&x, 1, MPI_INT, 0, 6, MPI_COMM_WORLD);  // <- match/tag
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
