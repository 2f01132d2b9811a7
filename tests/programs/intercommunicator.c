// Even and odd ranks as two groups of an intercommunicator: messages across, a broadcast with MPI_ROOT, a merge.
// expect: nothing
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, partner, value, sum;
    MPI_Comm half, across, whole;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int odd = rank % 2, mine = rank / 2;
    MPI_Comm_split(MPI_COMM_WORLD, odd, rank, &half);
    MPI_Intercomm_create(half, 0, MPI_COMM_WORLD, 1 - odd, 12, &across);
    MPI_Comm_remote_size(across, &partner);
    require(partner == size / 2);

    MPI_Sendrecv(&rank, 1, MPI_INT, mine, 0, &partner, 1, MPI_INT, mine, 0, across, MPI_STATUS_IGNORE);
    require(partner == rank + 1 - 2 * odd);

    value = rank == 0 ? 99 : 0;
    int root = odd ? 0 : rank == 0 ? MPI_ROOT : MPI_PROC_NULL;
    MPI_Bcast(&value, 1, MPI_INT, root, across);
    require(!odd || value == 99);
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, across);
    MPI_Barrier(across);

    MPI_Intercomm_merge(across, odd, &whole);
    MPI_Comm_rank(whole, &value);
    require(value == mine + odd * size / 2);
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, whole);
    require(sum == size * (size - 1) / 2);
    if (rank == 0)
        puts("two groups met");
    MPI_Comm_free(&whole);
    MPI_Comm_free(&across);
    MPI_Comm_free(&half);
    MPI_Finalize();
    return 0;
}
