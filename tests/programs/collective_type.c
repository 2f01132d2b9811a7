// Rank 3 takes for a float what rank 0 broadcasts as an int.
// expect: error collective/type
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, value = 1;
    float number;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank < 3)
        MPI_Bcast(&value, 1, MPI_INT, 0, MPI_COMM_WORLD); // <- collective/type
    else
        MPI_Bcast(&number, 1, MPI_FLOAT, 0, MPI_COMM_WORLD); // <- collective/type
    MPI_Finalize();
    return 0;
}
