// Rank 0 reduces in place, and the others do not; and all of them do, which is right.
// expect: warning collective/in-place
// ends: anyhow
#include "require.h"

int main(int argc, char** argv) {
    int rank, x = 1, sum = 1;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Allreduce(rank == 0 ? MPI_IN_PLACE : &x, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);  // <- collective/in-place
    MPI_Allreduce(MPI_IN_PLACE, &x, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Reduce(rank == 0 ? MPI_IN_PLACE : &x, &x, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
