// The result of a nonblocking reduction is broadcast before it is there.
// expect: error buffer/in-flight
#include "require.h"

int main(int argc, char **argv) {
    int rank, sum = 0;
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Iallreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &request);
    MPI_Bcast(&sum, 1, MPI_INT, 0, MPI_COMM_WORLD); // <- buffer/in-flight
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Finalize();
    return 0;
}
