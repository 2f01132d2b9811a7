// Rank 0 asks whether there is an answer, and puts its question where there is none yet: which calls it makes depends on what the poll finds.
// expect: note race/poll
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, value = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0) {
        int has_asked = 0;
        for (;;) {
            int flag;
            MPI_Iprobe(1, 0, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE); // <- race/poll
            if (flag)
                break;
            if (!has_asked)
                MPI_Send(&value, 1, MPI_INT, 1, 0, MPI_COMM_WORLD); // <- race/poll
            has_asked = 1;
        }
        MPI_Recv(&value, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- race/poll
    } else if (rank == 1) {
        MPI_Recv(&value, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Send(&value, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
