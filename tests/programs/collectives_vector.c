// The collectives whose counts differ from rank to rank.
// expect: nothing
#include "require.h"

static int rank, size, counts[64], offsets[64], total;

static void rooted(void) {
    int mine[64], all[2048];
    for (int i = 0; i <= rank; i++)
        mine[i] = rank;
    MPI_Gatherv(mine, rank + 1, MPI_INT, all, counts, offsets, MPI_INT, 2, MPI_COMM_WORLD);
    if (rank == 2)
        require(all[0] == 0 && all[total - 1] == size - 1);
    for (int i = 0; i <= rank; i++)
        mine[i] = -1;
    MPI_Scatterv(all, counts, offsets, MPI_INT, mine, rank + 1, MPI_INT, 2, MPI_COMM_WORLD);
    require(mine[rank] == rank);
}

static void unrooted(void) {
    int mine[64], all[2048], sum[64], ones[2048];
    for (int i = 0; i <= rank; i++)
        mine[i] = rank;
    MPI_Allgatherv(mine, rank + 1, MPI_INT, all, counts, offsets, MPI_INT, MPI_COMM_WORLD);
    require(all[offsets[1]] == 1 && all[total - 1] == size - 1);
    for (int i = 0; i < total; i++)
        ones[i] = i;
    MPI_Reduce_scatter(ones, sum, counts, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    require(sum[rank] == size * (offsets[rank] + rank));
}

static void all_to_all(void) {
    int sent[64], received[64], ones[64], places[64], bytes[64];
    MPI_Datatype types[64];
    for (int i = 0; i < size; i++) {
        sent[i] = 10 * rank + i;
        ones[i] = 1;
        places[i] = i;
        bytes[i] = i * (int)sizeof(int);
        types[i] = MPI_INT;
    }
    MPI_Alltoallv(sent, ones, places, MPI_INT, received, ones, places, MPI_INT, MPI_COMM_WORLD);
    require(received[1] == 10 + rank);
    MPI_Alltoallw(sent, ones, bytes, types, received, ones, bytes, types, MPI_COMM_WORLD);
    require(received[size - 1] == 10 * (size - 1) + rank);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    for (int i = 0; i < size; i++) {
        counts[i] = i + 1;
        offsets[i] = total;
        total += counts[i];
    }
    rooted();
    unrooted();
    all_to_all();
    if (rank == 0)
        printf("%d numbers in unequal parts\n", total);
    MPI_Finalize();
    return 0;
}
