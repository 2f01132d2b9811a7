// Rank 1 receives as many doubles as there are in a message of one int, which is MPI_UNDEFINED.
// expect: error argument/count
// ends: failure
#include "require.h"

int main(int argc, char** argv) {
    int rank, x = 0, count;
    double y;
    MPI_Status status;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0)
        MPI_Send(&x, 1, MPI_INT, 1, 0, MPI_COMM_WORLD);
    if (rank == 1) {
        MPI_Probe(0, 0, MPI_COMM_WORLD, &status);
        MPI_Get_count(&status, MPI_DOUBLE, &count);
        MPI_Recv(&y, count, MPI_DOUBLE, 0, 0, MPI_COMM_WORLD, &status);  // <- argument/count
    }
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
