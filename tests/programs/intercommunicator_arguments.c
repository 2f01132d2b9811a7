// Between two groups only the root may be asked for its arguments, and it says MPI_ROOT. Who has its number in the other group is not it: there,
// what means something at the root only points nowhere.
// expect: nothing
#include <stdint.h>
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, side, mine[2], all[16] = {0}, counts[8], places[8];
    int *nowhere = (int *)(uintptr_t)8;
    MPI_Comm half, across;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_split(MPI_COMM_WORLD, side = rank % 2, rank, &half);
    MPI_Intercomm_create(half, 0, MPI_COMM_WORLD, 1 - side, 5, &across);
    for (int i = 0; i < size / 2; i++) counts[i] = 2, places[i] = 2 * i;
    mine[0] = rank, mine[1] = -rank;
    /* Rank 1 of the odd ones is the root, which is rank 3 of all. */
    if (side == 0) {
        MPI_Gatherv(mine, 2, MPI_INT, nowhere, nowhere, nowhere, MPI_INT, 1, across);
        MPI_Scatterv(nowhere, nowhere, nowhere, MPI_INT, mine, 2, MPI_INT, 1, across);
        require(mine[0] == rank && mine[1] == -rank);
        MPI_Gather(mine, 2, MPI_INT, nowhere, -1, MPI_INT, 1, across);
        MPI_Bcast(mine, 2, MPI_INT, 1, across);
        require(mine[0] == 0 && mine[1] == 0);
    } else {
        int root = rank == 3 ? MPI_ROOT : MPI_PROC_NULL;
        MPI_Gatherv(nowhere, -1, MPI_INT, rank == 3 ? all : nowhere, rank == 3 ? counts : nowhere, rank == 3 ? places : nowhere,
                    MPI_INT, root, across);
        MPI_Scatterv(rank == 3 ? all : nowhere, rank == 3 ? counts : nowhere, rank == 3 ? places : nowhere, MPI_INT, nowhere, -1,
                     MPI_INT, root, across);
        MPI_Gather(nowhere, -1, MPI_INT, rank == 3 ? all : nowhere, 2, MPI_INT, root, across);
        MPI_Bcast(rank == 3 ? all : nowhere, 2, MPI_INT, root, across);
    }
    MPI_Comm_free(&across);
    MPI_Comm_free(&half);
    MPI_Finalize();
    if (rank == 0) puts("asked the root only");
    return 0;
}
