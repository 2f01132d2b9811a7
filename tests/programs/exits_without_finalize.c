// Every rank communicates correctly, and then leaves main without MPI_Finalize.
// expect: warning run/unfinished
// ends: by itself
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, sum;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD); // <- run/unfinished
    return sum == 6 ? 0 : 1;
}
