// A grid whose ranks talk to their neighbours by name, and rank 0 collects the rows of a frame from anybody. A barrier keeps the frames
// apart: no schedule gets stuck while sends are buffered.
// expect: warning deadlock/buffering
// expect: note race/wildcard
#include <mpi.h>

enum { STEPS = 3, ROWS = 2 };

static void exchange(int to, int from) {
    int value = 0;
    MPI_Send(&value, 1, MPI_INT, to, 0, MPI_COMM_WORLD); // <- deadlock/buffering
    MPI_Recv(&value, 1, MPI_INT, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static void collect(int rank, int size) {
    int row = 0;
    if (rank != 0) {
        for (int i = 0; i < ROWS; i++)
            MPI_Send(&row, 1, MPI_INT, 0, 1, MPI_COMM_WORLD);
        return;
    }
    for (int i = 0; i < ROWS * (size - 1); i++)
        MPI_Recv(&row, 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- race/wildcard
}

int main(int argc, char **argv) {
    int rank, size;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    for (int step = 0; step < STEPS; step++) {
        exchange((rank + 1) % size, (rank + size - 1) % size);
        exchange((rank + size - 1) % size, (rank + 1) % size);
        MPI_Barrier(MPI_COMM_WORLD);
        collect(rank, size);
        MPI_Barrier(MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
