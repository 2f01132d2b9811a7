// Rank 0 takes a message of everybody. With OTHER in the environment the last rank sends it with another tag first.
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST = 7, SECOND = 8 };

static void send(int value, int tag) {
    MPI_Send(&value, 1, MPI_INT, 0, tag, MPI_COMM_WORLD); // as recorded
}

int main(int argc, char **argv) {
    int rank, size, value;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    const int is_other = getenv("OTHER") && rank == size - 1;
    if (rank > 0) {
        send(rank, is_other ? SECOND : FIRST);
        send(rank, SECOND);
    } else {
        for (int i = 0; i < 2 * (size - 1); i++) {
            MPI_Recv(&value, 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            printf("%d\n", value);
        }
    }
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
