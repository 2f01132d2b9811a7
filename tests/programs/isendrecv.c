// Sends and receives in one nonblocking call, in both directions of a ring, and with one buffer.
// needs: MPI_Isendrecv
// expect: nothing
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, got[2], value;
    MPI_Request requests[3];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int right = (rank + 1) % size, left = (rank + size - 1) % size;
    value = rank;
    MPI_Isendrecv(&rank, 1, MPI_INT, right, 1, &got[0], 1, MPI_INT, left, 1, MPI_COMM_WORLD, &requests[0]);
    MPI_Isendrecv(&rank, 1, MPI_INT, left, 2, &got[1], 1, MPI_INT, right, 2, MPI_COMM_WORLD, &requests[1]);
    MPI_Isendrecv_replace(&value, 1, MPI_INT, right, 3, left, 3, MPI_COMM_WORLD, &requests[2]);
    MPI_Waitall(3, requests, MPI_STATUSES_IGNORE);
    require(got[0] == left && got[1] == right && value == left);
    if (rank == 0)
        puts("both ways");
    MPI_Finalize();
    return 0;
}
