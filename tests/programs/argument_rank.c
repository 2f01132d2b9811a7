// Rank 2 sends to a rank that does not exist, which ends the program inside that call.
// expect: error argument/rank
// ends: failure
#include "require.h"

int main(int argc, char** argv) {
    int rank, x = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 2)
        MPI_Send(&x, 1, MPI_INT, 17, 0, MPI_COMM_WORLD);  // <- argument/rank
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
