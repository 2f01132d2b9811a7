// Every blocking collective of equal counts, with results that are checked.
// expect: nothing
#include "require.h"

static int rank, size;

static void one_to_all(void) {
    int value = rank == 1 ? 17 : 0, part = -1, parts[64];
    MPI_Bcast(&value, 1, MPI_INT, 1, MPI_COMM_WORLD);
    require(value == 17);
    for (int i = 0; i < size; i++)
        parts[i] = 3 * i;
    MPI_Scatter(parts, 1, MPI_INT, &part, 1, MPI_INT, 2, MPI_COMM_WORLD);
    require(part == 3 * rank);
}

static void all_to_one(void) {
    int all[64] = {0}, sum = 0;
    MPI_Gather(&rank, 1, MPI_INT, all, 1, MPI_INT, 3, MPI_COMM_WORLD);
    MPI_Reduce(&rank, &sum, 1, MPI_INT, MPI_SUM, 3, MPI_COMM_WORLD);
    if (rank == 3) {
        for (int i = 0; i < size; i++)
            require(all[i] == i);
        require(sum == size * (size - 1) / 2);
    }
}

static void all_to_all(void) {
    int sent[64], received[64], sum, block;
    MPI_Allgather(&rank, 1, MPI_INT, received, 1, MPI_INT, MPI_COMM_WORLD);
    require(received[size - 1] == size - 1);
    for (int i = 0; i < size; i++)
        sent[i] = 10 * rank + i;
    MPI_Alltoall(sent, 1, MPI_INT, received, 1, MPI_INT, MPI_COMM_WORLD);
    for (int i = 0; i < size; i++)
        require(received[i] == 10 * i + rank);
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    require(sum == size - 1);
    MPI_Reduce_scatter_block(sent, &block, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    require(block == 10 * size * (size - 1) / 2 + size * rank);
}

static void prefixes(void) {
    int sum, before = 0;
    MPI_Scan(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    require(sum == rank * (rank + 1) / 2);
    MPI_Exscan(&rank, &before, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    require(rank == 0 || before == rank * (rank - 1) / 2);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    one_to_all();
    all_to_one();
    all_to_all();
    prefixes();
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0)
        puts("all collectives are right");
    MPI_Finalize();
    return 0;
}
