// An operation is made, used, and never freed.
// expect: warning leak/operation
#include <mpi.h>

static void add(void *in, void *inout, int *length, MPI_Datatype *type) {
    (void)type;
    for (int i = 0; i < *length; i++)
        ((int *)inout)[i] += ((int *)in)[i];
}

int main(int argc, char **argv) {
    MPI_Op op;
    int one = 1, sum;
    MPI_Init(&argc, &argv);
    MPI_Op_create(add, 1, &op); // <- leak/operation
    MPI_Allreduce(&one, &sum, 1, MPI_INT, op, MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
