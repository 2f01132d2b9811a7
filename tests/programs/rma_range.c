// Each rank gives four numbers to the window, and its neighbour puts one into the fifth.
// expect: error rma/range
// ends: anyhow
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, memory[8] = {0};
    MPI_Win window;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Win_create(memory, 4 * sizeof(int), sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    MPI_Win_set_errhandler(window, MPI_ERRORS_RETURN);
    MPI_Win_fence(0, window);
    MPI_Put(&rank, 1, MPI_INT, (rank + 1) % size, 3, 1, MPI_INT, window);
    MPI_Put(&rank, 1, MPI_INT, (rank + 1) % size, 4, 1, MPI_INT, window); // <- rma/range
    MPI_Win_fence(MPI_MODE_NOSUCCEED, window);
    MPI_Win_free(&window);
    MPI_Finalize();
    return 0;
}
