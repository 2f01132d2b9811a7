// Each process asks for its rank before it initializes MPI.
// expect: error usage/not-initialized
// ends: failure
#include <mpi.h>

int main(int argc, char **argv) {
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank); // <- usage/not-initialized
    MPI_Init(&argc, &argv);
    MPI_Finalize();
    return 0;
}
