// A message is received into the memory of the window that a neighbour puts into, in the same epoch.
// expect: error rma/race
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, memory[4] = {0}, value = 1;
    MPI_Win window;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int next = (rank + 1) % size, before = (rank + size - 1) % size;
    MPI_Win_create(memory, sizeof memory, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    MPI_Win_fence(0, window);
    MPI_Put(&value, 1, MPI_INT, next, 2, 1, MPI_INT, window); // <- rma/race
    MPI_Sendrecv(&value, 1, MPI_INT, next, 0, &memory[1], 2, MPI_INT, before, 0, // <- rma/race
                 MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Win_fence(MPI_MODE_NOSUCCEED, window);
    MPI_Win_free(&window);
    MPI_Finalize();
    return 0;
}
