// Rank 0 frees the window where the others go on to another fence.
// expect: error collective/order
// ends: anyhow
#include "require.h"

int main(int argc, char **argv) {
    int rank, memory[4] = {0}, value = 1;
    MPI_Win window;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Win_create(memory, sizeof memory, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    MPI_Win_fence(0, window);
    MPI_Put(&value, 1, MPI_INT, 0, rank, 1, MPI_INT, window);
    MPI_Win_fence(0, window);
    if (rank > 0)
        MPI_Win_fence(0, window); // <- collective/order
    MPI_Win_free(&window); // <- collective/order
    MPI_Finalize();
    return 0;
}
