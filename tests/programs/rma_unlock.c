// Each rank locks the window of its right neighbour, and gives back a lock on that of its left one.
// expect: error rma/epoch
// ends: anyhow
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, memory[4] = {0};
    MPI_Win window;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Win_create(memory, sizeof memory, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    MPI_Win_set_errhandler(window, MPI_ERRORS_RETURN);
    MPI_Win_lock(MPI_LOCK_SHARED, (rank + 1) % size, 0, window);
    MPI_Put(&rank, 1, MPI_INT, (rank + 1) % size, 0, 1, MPI_INT, window);
    MPI_Win_unlock((rank + size - 1) % size, window); // <- rma/epoch
    MPI_Win_unlock((rank + 1) % size, window);
    MPI_Win_free(&window);
    MPI_Finalize();
    return 0;
}
