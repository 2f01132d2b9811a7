// Rank 1 sends to rank 0 and then to rank 3, which takes the message of rank 1 before that of rank 0. If nothing is buffered and rank 0 takes
// the message of rank 2 first, rank 0 waits for rank 3, rank 3 for rank 1 and rank 1 for rank 0.
// expect: warning deadlock/buffering
// expect: note race/wildcard
#include <mpi.h>
#include <unistd.h>

// Not in line, so that it is one place however the loop is unrolled.
__attribute__((noinline)) static void take(int *values, int room) {
    MPI_Recv(values, room, MPI_INT, MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- race/wildcard
}

int main(int argc, char **argv) {
    int rank, value = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        for (int i = 0; i < 2; i++) {
            take(&value, 1);
            if (i == 0)
                MPI_Send(&value, 1, MPI_INT, 3, 0, MPI_COMM_WORLD);
        }
    } else if (rank == 1) {
        MPI_Send(&value, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
        MPI_Send(&value, 1, MPI_INT, 3, 0, MPI_COMM_WORLD);
    } else if (rank == 2) {
        sleep(1);
        MPI_Send(&value, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
    } else if (rank == 3) {
        MPI_Recv(&value, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Recv(&value, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    MPI_Finalize();
    return 0;
}
