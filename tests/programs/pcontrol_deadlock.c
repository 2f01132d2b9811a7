// What comes before MPI_Pcontrol(1) is not recorded; the deadlock that follows is.
// expect: error deadlock/cycle
// ends: hang
#include "require.h"

int main(int argc, char **argv) {
    int rank, value = 0;
    MPI_Init(&argc, &argv);
    MPI_Pcontrol(0);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (int i = 0; i < 10; i++)
        MPI_Bcast(&value, 1, MPI_INT, 0, MPI_COMM_WORLD);
    MPI_Pcontrol(1);
    if (rank < 2)
        MPI_Recv(&value, 1, MPI_INT, 1 - rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- deadlock/cycle
    MPI_Finalize();
    return 0;
}
