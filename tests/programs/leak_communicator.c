// A communicator is duplicated on every rank and never freed.
// expect: warning leak/communicator
#include <mpi.h>

int main(int argc, char **argv) {
    MPI_Comm twin;
    MPI_Init(&argc, &argv);
    MPI_Comm_dup(MPI_COMM_WORLD, &twin); // <- leak/communicator
    MPI_Barrier(twin);
    MPI_Finalize();
    return 0;
}
