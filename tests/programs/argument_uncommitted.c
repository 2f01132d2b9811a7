// A vector is sent that was never committed; its copy, made of a committed one, need not be.
// expect: error argument/uncommitted
// ends: anyhow
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, x[8] = {0};
    MPI_Datatype column, committed, copy;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Type_vector(4, 1, 2, MPI_INT, &column);
    MPI_Type_contiguous(2, column, &committed);
    MPI_Type_commit(&committed);
    MPI_Type_dup(committed, &copy);
    if (rank == 0)
        MPI_Send(x, 1, copy, MPI_PROC_NULL, 0, MPI_COMM_WORLD);
    if (rank < 2)
        MPI_Sendrecv_replace(x, 1, column, 1 - rank, 0, 1 - rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- argument/uncommitted
    MPI_Type_free(&column);
    MPI_Type_free(&committed);
    MPI_Type_free(&copy);
    MPI_Finalize();
    return 0;
}
