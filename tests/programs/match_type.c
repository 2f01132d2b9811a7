// Rank 0 sends two ints, rank 1 receives them as one double: the bytes fit, the types do not.
// expect: error match/type
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, values[2] = {1, 2};
    double value;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0)
        MPI_Send(values, 2, MPI_INT, 1, 0, MPI_COMM_WORLD); // <- match/type
    if (rank == 1)
        MPI_Recv(&value, 1, MPI_DOUBLE, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- match/type
    MPI_Finalize();
    return 0;
}
