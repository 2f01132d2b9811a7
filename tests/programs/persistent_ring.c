// A ring of persistent requests, started one by one and together, in ten rounds.
// expect: nothing
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, mine, theirs;
    MPI_Request requests[2];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int right = (rank + 1) % size, left = (rank + size - 1) % size;
    MPI_Recv_init(&theirs, 1, MPI_INT, left, 4, MPI_COMM_WORLD, &requests[0]);
    MPI_Send_init(&mine, 1, MPI_INT, right, 4, MPI_COMM_WORLD, &requests[1]);
    mine = rank;
    for (int round = 0; round < 10; round++) {
        if (round % 2) {
            MPI_Startall(2, requests);
        } else {
            MPI_Start(&requests[0]);
            MPI_Start(&requests[1]);
        }
        MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
        mine = theirs;
    }
    require(mine == (rank + 10 * size - 10) % size);
    MPI_Request_free(&requests[0]);
    MPI_Request_free(&requests[1]);
    if (rank == 0)
        puts("ten rounds");
    MPI_Finalize();
    return 0;
}
