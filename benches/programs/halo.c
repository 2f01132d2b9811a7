// A ring of ranks exchanges halos of 800 bytes with both neighbours.
#include "measure.h"

enum { WIDTH = 100 };

int main(int argc, char **argv) {
    static double mine[2][WIDTH], theirs[2][WIDTH];
    int rank, size;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int left = (rank + size - 1) % size, right = (rank + 1) % size;
    long rounds = atol(argv[1]);
    MPI_Barrier(MPI_COMM_WORLD);
    begin();
    for (long round = 0; round < rounds; round++) {
        MPI_Request requests[4];
        MPI_Irecv(theirs[0], WIDTH, MPI_DOUBLE, left, 0, MPI_COMM_WORLD, &requests[0]);
        MPI_Irecv(theirs[1], WIDTH, MPI_DOUBLE, right, 1, MPI_COMM_WORLD, &requests[1]);
        MPI_Isend(mine[1], WIDTH, MPI_DOUBLE, right, 0, MPI_COMM_WORLD, &requests[2]);
        MPI_Isend(mine[0], WIDTH, MPI_DOUBLE, left, 1, MPI_COMM_WORLD, &requests[3]);
        MPI_Waitall(4, requests, MPI_STATUSES_IGNORE);
    }
    finish(5 * rounds);
    return 0;
}
