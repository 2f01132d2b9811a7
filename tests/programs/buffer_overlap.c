// What is added to the counter and what it was before are one variable.
// expect: error buffer/overlap
#include "require.h"

int main(int argc, char **argv) {
    int rank, *memory, value = 1;
    MPI_Win window;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Win_allocate(sizeof(int), sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &memory, &window);
    MPI_Win_lock_all(0, window);
    MPI_Fetch_and_op(&value, &value, MPI_INT, 0, 0, MPI_SUM, window); // <- buffer/overlap
    MPI_Win_unlock_all(window);
    MPI_Win_free(&window);
    MPI_Finalize();
    return 0;
}
