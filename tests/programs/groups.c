// Communicators of parts of others: of a group, by whoever is in it, while the rest does something else; of those that share memory; and
// duplicates that are ready only when a request is complete.
// expect: nothing
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, sum, x = -1, odd[32];
    MPI_Group all, part;
    MPI_Comm some, again, node, copies[2];
    MPI_Request requests[2];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    require(size <= 64);

    // The odd ranks make two at the same time as the even ones talk to each other.
    for (int i = 0; i < size / 2; i++)
        odd[i] = 2 * i + 1;
    MPI_Comm_group(MPI_COMM_WORLD, &all);
    MPI_Group_incl(all, size / 2, odd, &part);
    if (rank % 2) {
        MPI_Comm_create_group(MPI_COMM_WORLD, part, 3, &some);
        MPI_Comm_create_group(MPI_COMM_WORLD, part, 3, &again);
        MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, some);
        MPI_Barrier(again);
        MPI_Comm_free(&again);
        MPI_Comm_free(&some);
    } else {
        int other = rank % 4 ? rank - 2 : rank + 2;
        if (other < size)
            MPI_Sendrecv(&rank, 1, MPI_INT, other, 0, &x, 1, MPI_INT, other, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    MPI_Group_free(&part);
    MPI_Group_free(&all);

    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node);
    MPI_Bcast(&sum, 1, MPI_INT, 0, node);

    MPI_Comm_idup(MPI_COMM_WORLD, &copies[0], &requests[0]);
    MPI_Comm_idup(node, &copies[1], &requests[1]);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, copies[0]);
    require(sum == size * (size - 1) / 2);
    MPI_Sendrecv(&rank, 1, MPI_INT, (rank + 1) % size, 0, &x, 1, MPI_INT, (rank + size - 1) % size, 0, copies[0],
                 MPI_STATUS_IGNORE);
    MPI_Barrier(copies[1]);
    if (rank == 0)
        puts("parts and copies");
    MPI_Comm_free(&copies[1]);
    MPI_Comm_free(&copies[0]);
    MPI_Comm_free(&node);
    MPI_Finalize();
    return 0;
}
