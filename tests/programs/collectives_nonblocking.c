// Nonblocking collectives, several in flight at once and completed in another order than they were started.
// expect: nothing
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, value, sum, part, parts[64], all[64], everything[64], sent[64], received[64], before;
    MPI_Request requests[9];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    value = rank == 0 ? 5 : 0;
    for (int i = 0; i < size; i++)
        sent[i] = parts[i] = 100 * rank + i;
    MPI_Ibcast(&value, 1, MPI_INT, 0, MPI_COMM_WORLD, &requests[0]);
    MPI_Iallreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &requests[1]);
    MPI_Iscatter(parts, 1, MPI_INT, &part, 1, MPI_INT, 1, MPI_COMM_WORLD, &requests[2]);
    MPI_Igather(&rank, 1, MPI_INT, all, 1, MPI_INT, 0, MPI_COMM_WORLD, &requests[3]);
    MPI_Iallgather(&rank, 1, MPI_INT, everything, 1, MPI_INT, MPI_COMM_WORLD, &requests[4]);
    MPI_Ialltoall(sent, 1, MPI_INT, received, 1, MPI_INT, MPI_COMM_WORLD, &requests[5]);
    MPI_Iexscan(&rank, &before, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &requests[6]);
    MPI_Ireduce(&rank, rank == 2 ? &all[32] : NULL, 1, MPI_INT, MPI_SUM, 2, MPI_COMM_WORLD, &requests[7]);
    MPI_Ibarrier(MPI_COMM_WORLD, &requests[8]);
    MPI_Wait(&requests[5], MPI_STATUS_IGNORE);
    MPI_Waitall(9, requests, MPI_STATUSES_IGNORE);
    require(value == 5 && sum == size * (size - 1) / 2 && part == 100 + rank);
    require(rank != 0 || all[size - 1] == size - 1);
    require(everything[1] == 1 && received[1] == 100 + rank);
    require(rank == 0 || before == rank * (rank - 1) / 2);
    require(rank != 2 || all[32] == sum);
    if (rank == 0)
        puts("nine collectives at once");
    MPI_Finalize();
    return 0;
}
