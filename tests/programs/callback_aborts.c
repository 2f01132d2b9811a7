// Rank 2 frees a datatype whose attribute has a callback that calls MPI_Abort: a call in the middle of another one.
// expect: warning run/aborted
// ends: failure
#define _DEFAULT_SOURCE
#include <mpi.h>
#include <stddef.h>
#include <unistd.h>

static int give_up(MPI_Datatype type, int key, void *value, void *state) {
    (void)type, (void)key, (void)value, (void)state;
    MPI_Abort(MPI_COMM_WORLD, 3); // <- run/aborted
    pause(); // that of MPICH 5 returns, and the process is killed soon afterwards
    return MPI_SUCCESS;
}

int main(int argc, char **argv) {
    int rank, key;
    MPI_Datatype pair;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Type_create_keyval(MPI_TYPE_NULL_COPY_FN, give_up, &key, NULL);
    MPI_Type_contiguous(2, MPI_INT, &pair);
    MPI_Type_set_attr(pair, key, NULL);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 2)
        MPI_Type_free(&pair);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
