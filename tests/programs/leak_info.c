// An info object is copied, and only the copy is freed.
// expect: warning leak/info
#include <mpi.h>

int main(int argc, char **argv) {
    MPI_Info hints, copy;
    MPI_Init(&argc, &argv);
    MPI_Info_create(&hints); // <- leak/info
    MPI_Info_dup(hints, &copy);
    MPI_Info_free(&copy);
    MPI_Finalize();
    return 0;
}
