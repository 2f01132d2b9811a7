// Ranks 0 and 1 each have an exclusive lock, and ask for that of the other one.
// expect: error deadlock/cycle
// ends: hang
#include "require.h"

int main(int argc, char **argv) {
    int rank, value = 1, *memory;
    MPI_Win window;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Win_allocate(sizeof(int), sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &memory, &window);
    if (rank < 2) {
        MPI_Win_lock(MPI_LOCK_EXCLUSIVE, rank, 0, window);
        MPI_Put(&value, 1, MPI_INT, rank, 0, 1, MPI_INT, window);
        MPI_Win_flush(rank, window);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank < 2) {
        MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 1 - rank, 0, window);
        MPI_Put(&value, 1, MPI_INT, 1 - rank, 0, 1, MPI_INT, window);
        MPI_Win_unlock(1 - rank, window);
        MPI_Win_unlock(rank, window);
    }
    MPI_Win_free(&window);
    MPI_Finalize();
    return 0;
}
