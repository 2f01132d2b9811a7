// A token goes round a ring ten times, and every rank adds one to it.
// expect: nothing
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, token = 0;
    MPI_Status status;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int right = (rank + 1) % size, left = (rank + size - 1) % size;
    for (int lap = 0; lap < 10; lap++) {
        if (rank > 0)
            MPI_Recv(&token, 1, MPI_INT, left, lap, MPI_COMM_WORLD, &status);
        token++;
        MPI_Send(&token, 1, MPI_INT, right, lap, MPI_COMM_WORLD);
        if (rank == 0)
            MPI_Recv(&token, 1, MPI_INT, left, lap, MPI_COMM_WORLD, &status);
    }
    if (rank == 0) {
        require(token == 10 * size);
        printf("the token is %d\n", token);
    }
    MPI_Finalize();
    return 0;
}
