// Operations under way share memory only where both read, or lie between each other's bytes, or follow each other.
// expect: nothing
#include "require.h"

enum { N = 16 };

int main(int argc, char **argv) {
    int rank, size, value = 1, got[2] = {0}, matrix[N][N] = {{0}};
    MPI_Request requests[4];
    MPI_Datatype column;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int next = (rank + 1) % size, before = (rank + size - 1) % size;

    // Two sends of one number.
    MPI_Irecv(&got[0], 1, MPI_INT, before, 0, MPI_COMM_WORLD, &requests[0]);
    MPI_Irecv(&got[1], 1, MPI_INT, before, 1, MPI_COMM_WORLD, &requests[1]);
    MPI_Isend(&value, 1, MPI_INT, next, 0, MPI_COMM_WORLD, &requests[2]);
    MPI_Isend(&value, 1, MPI_INT, next, 1, MPI_COMM_WORLD, &requests[3]);
    MPI_Waitall(4, requests, MPI_STATUSES_IGNORE);

    // Columns of one matrix: one is received while others are sent.
    MPI_Type_vector(N, 1, N, MPI_INT, &column);
    MPI_Type_commit(&column);
    MPI_Irecv(&matrix[0][0], 1, column, before, 2, MPI_COMM_WORLD, &requests[0]);
    MPI_Irecv(&matrix[0][N - 1], 1, column, next, 3, MPI_COMM_WORLD, &requests[1]);
    MPI_Isend(&matrix[0][N - 2], 1, column, next, 2, MPI_COMM_WORLD, &requests[2]);
    MPI_Send(&matrix[0][1], 1, column, before, 3, MPI_COMM_WORLD);
    MPI_Waitall(3, requests, MPI_STATUSES_IGNORE);
    MPI_Type_free(&column);

    // One buffer, again and again, and a persistent receive that has not been started.
    MPI_Recv_init(&value, 1, MPI_INT, before, 4, MPI_COMM_WORLD, &requests[0]);
    for (int step = 0; step < 6; step++) {
        if (step % 2 == rank % 2) {
            MPI_Isend(&value, 1, MPI_INT, next, 4, MPI_COMM_WORLD, &requests[1]);
            MPI_Wait(&requests[1], MPI_STATUS_IGNORE);
        } else {
            MPI_Start(&requests[0]);
            MPI_Wait(&requests[0], MPI_STATUS_IGNORE);
        }
    }
    MPI_Request_free(&requests[0]);
    MPI_Finalize();
    return 0;
}
