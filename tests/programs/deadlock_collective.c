// Ranks 0 and 1 call a broadcast and exchange a message in different orders, which works while the root does not wait for the others.
// expect: warning deadlock/collective
#include "require.h"

int main(int argc, char** argv) {
    int rank, x = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 1) MPI_Recv(&x, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // <- deadlock/collective
    MPI_Bcast(&x, 1, MPI_INT, 0, MPI_COMM_WORLD);  // <- deadlock/collective
    if (rank == 0) MPI_Send(&x, 1, MPI_INT, 1, 0, MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
