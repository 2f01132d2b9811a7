// Every two ranks start a process more: messages across, a broadcast to the children, a merge of parents and children.
// needs: MPI_Comm_spawn
// expect: nothing
#include "require.h"

static void child(MPI_Comm parents) {
    int rank, size, value = 0, whole_rank;
    MPI_Comm whole;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    require(size == 2);
    MPI_Recv(&value, 1, MPI_INT, rank, 7, parents, MPI_STATUS_IGNORE);
    require(value == 100 + rank);
    MPI_Bcast(&value, 1, MPI_INT, 0, parents);
    require(value == 42);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Intercomm_merge(parents, 1, &whole);
    MPI_Comm_rank(whole, &whole_rank);
    MPI_Allreduce(&whole_rank, &value, 1, MPI_INT, MPI_SUM, whole);
    MPI_Comm_free(&whole);
    MPI_Comm_disconnect(&parents);
}

static void parent(const char *program) {
    int rank, size, value, whole_rank, errors[2];
    MPI_Comm children, whole;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_spawn(program, MPI_ARGV_NULL, 2, MPI_INFO_NULL, 0, MPI_COMM_WORLD, &children, errors);
    value = 100 + rank;
    if (rank < 2)
        MPI_Send(&value, 1, MPI_INT, rank, 7, children);
    value = 42;
    MPI_Bcast(&value, 1, MPI_INT, rank == 0 ? MPI_ROOT : MPI_PROC_NULL, children);
    MPI_Intercomm_merge(children, 0, &whole);
    MPI_Comm_rank(whole, &whole_rank);
    MPI_Allreduce(&whole_rank, &value, 1, MPI_INT, MPI_SUM, whole);
    require(value == (size + 2) * (size + 1) / 2);
    if (rank == 0)
        puts("parents and children met");
    MPI_Comm_free(&whole);
    MPI_Comm_disconnect(&children);
}

int main(int argc, char **argv) {
    MPI_Comm parents;
    MPI_Init(&argc, &argv);
    MPI_Comm_get_parent(&parents);
    if (parents == MPI_COMM_NULL)
        parent(argv[0]);
    else
        child(parents);
    MPI_Finalize();
    return 0;
}
