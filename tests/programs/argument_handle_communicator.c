// A communicator is freed, and used once more by a copy of its handle.
// expect: error argument/handle
// ends: anyhow
#include <mpi.h>

int main(int argc, char **argv) {
    MPI_Comm comm, copy;
    MPI_Init(&argc, &argv);
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    copy = comm;
    MPI_Comm_free(&comm);
    MPI_Barrier(copy); // <- argument/handle
    MPI_Finalize();
    return 0;
}
