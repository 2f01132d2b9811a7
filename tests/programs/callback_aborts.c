// Rank 2 sends to a rank that does not exist, and its error handler calls MPI_Abort: a call in the middle of another one.
// expect: warning run/aborted
// expect: error argument/rank
// ends: failure
#include <mpi.h>

static void give_up(MPI_Comm *comm, int *code, ...) {
    (void)code;
    MPI_Abort(*comm, 3); // <- run/aborted
}

int main(int argc, char **argv) {
    int rank, value = 0;
    MPI_Errhandler handler;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_create_errhandler(give_up, &handler);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, handler);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 2)
        MPI_Send(&value, 1, MPI_INT, 99, 0, MPI_COMM_WORLD); // <- argument/rank
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
