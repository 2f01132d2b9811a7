// Memory is attached to a window and detached again; displacements are addresses.
// expect: nothing
#include "require.h"

int main(int argc, char **argv) {
    int rank, size;
    static int memory[4];
    MPI_Aint address, theirs;
    MPI_Win window;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int left = (rank + size - 1) % size, right = (rank + 1) % size;
    MPI_Win_create_dynamic(MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    MPI_Win_attach(window, memory, sizeof memory);
    MPI_Get_address(&memory[2], &address);
    MPI_Sendrecv(&address, 1, MPI_AINT, left, 0, &theirs, 1, MPI_AINT, right, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Win_fence(0, window);
    MPI_Put(&rank, 1, MPI_INT, right, theirs, 1, MPI_INT, window);
    MPI_Win_fence(0, window);
    require(memory[2] == left);
    MPI_Win_detach(window, memory);
    MPI_Win_free(&window);
    MPI_Finalize();
    return 0;
}
