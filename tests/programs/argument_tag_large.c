// Rank 0 sends with a tag that is larger than the largest one of this library, which may end the program inside that call.
// expect: error argument/tag
// ends: anyhow
#include "require.h"

int main(int argc, char** argv) {
    int rank, x = 0, flag, *largest;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, &largest, &flag);
    MPI_Send(&x, 1, MPI_INT, MPI_PROC_NULL, *largest, MPI_COMM_WORLD);
    if (rank == 0) MPI_Send(&x, 1, MPI_INT, 1, (int)(*largest + 1u), MPI_COMM_WORLD);  // <- argument/tag
    if (rank == 1) MPI_Recv(&x, 1, MPI_INT, 0, MPI_ANY_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Finalize();
    return 0;
}
