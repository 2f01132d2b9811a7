// An error handler is made and set; setting it does not give its handle back.
// expect: warning leak/errhandler
#include <mpi.h>

static void report(MPI_Comm *comm, int *code, ...) {
    (void)comm;
    (void)code;
}

int main(int argc, char **argv) {
    MPI_Errhandler handler;
    MPI_Init(&argc, &argv);
    MPI_Comm_create_errhandler(report, &handler); // <- leak/errhandler
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, handler);
    MPI_Finalize();
    return 0;
}
