// Rank 0 has room for the short message of rank 1, which always comes first, and not for the long one of rank 2, which may come first.
// expect: error match/truncated
// expect: note race/wildcard
#include <mpi.h>
#include <unistd.h>

// Not in line, so that it is one place however the loop is unrolled.
__attribute__((noinline)) static void take(int *values, int room) {
    MPI_Recv(values, room, MPI_INT, MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- race/wildcard
}

int main(int argc, char **argv) {
    int rank, values[8] = {0};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        for (int i = 0; i < 2; i++)
            take(values, i == 0 ? 1 : 8);
    } else if (rank == 1) {
        MPI_Send(values, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
    } else if (rank == 2) {
        sleep(1);
        MPI_Send(values, 8, MPI_INT, 0, 0, MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
