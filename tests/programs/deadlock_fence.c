// Rank 0 waits for a message that rank 1 sends after the fence; the fence ends an epoch, and waits for rank 0.
// expect: error deadlock/cycle
// ends: hang
#include "require.h"

int main(int argc, char **argv) {
    int rank, memory[4] = {0}, value = 1, told = 0;
    MPI_Win window;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Win_create(memory, sizeof memory, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    MPI_Win_fence(0, window);
    MPI_Put(&value, 1, MPI_INT, 0, rank, 1, MPI_INT, window);
    if (rank == 0)
        MPI_Recv(&told, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- deadlock/cycle
    MPI_Win_fence(0, window); // <- deadlock/cycle
    if (rank == 1)
        MPI_Send(&told, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
    MPI_Win_free(&window);
    MPI_Finalize();
    return 0;
}
