// Rank 0 lets ranks 1 and 2 access its memory in one epoch: one puts, and tells the other, who gets. A message does not help: what was put is
// there when rank 0 comes back from MPI_Win_wait.
// expect: error rma/race
#include "require.h"

int main(int argc, char **argv) {
    int rank, memory[4] = {0}, value = 7, got = 0;
    MPI_Win window;
    MPI_Group all, some;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_group(MPI_COMM_WORLD, &all);
    MPI_Win_create(memory, sizeof memory, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    if (rank == 0) {
        MPI_Group_incl(all, 2, (int[]){1, 2}, &some);
        MPI_Win_post(some, 0, window);
        MPI_Win_wait(window);
        MPI_Group_free(&some);
    } else if (rank < 3) {
        MPI_Group_incl(all, 1, (int[]){0}, &some);
        if (rank == 2)
            MPI_Recv(NULL, 0, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Win_start(some, 0, window);
        if (rank == 1)
            MPI_Put(&value, 1, MPI_INT, 0, 0, 1, MPI_INT, window); // <- rma/race
        else
            MPI_Get(&got, 1, MPI_INT, 0, 0, 1, MPI_INT, window); // <- rma/race
        MPI_Win_complete(window);
        if (rank == 1)
            MPI_Send(NULL, 0, MPI_INT, 2, 0, MPI_COMM_WORLD);
        MPI_Group_free(&some);
    }
    MPI_Group_free(&all);
    MPI_Win_free(&window);
    MPI_Finalize();
    return 0;
}
