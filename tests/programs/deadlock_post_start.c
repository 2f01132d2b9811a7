// Two ranks begin to access each other's memory, and let each other only afterwards.
// expect: error deadlock/cycle
// ends: hang
#include "require.h"

int main(int argc, char **argv) {
    int rank, memory[4] = {0}, value = 1;
    MPI_Win window;
    MPI_Group all, other;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Win_create(memory, sizeof memory, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    if (rank < 2) {
        int partner = 1 - rank;
        MPI_Comm_group(MPI_COMM_WORLD, &all);
        MPI_Group_incl(all, 1, &partner, &other);
        MPI_Win_start(other, 0, window);
        MPI_Put(&value, 1, MPI_INT, partner, 0, 1, MPI_INT, window);
        MPI_Win_complete(window);
        MPI_Win_post(other, 0, window);
        MPI_Win_wait(window);
        MPI_Group_free(&other);
        MPI_Group_free(&all);
    }
    MPI_Win_free(&window);
    MPI_Finalize();
    return 0;
}
