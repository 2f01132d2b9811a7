// It gets through if nothing is buffered and if everything is. If the first message of rank 1 or 3 is buffered and that of rank 0 is not,
// rank 2 may take their second one first: then rank 0 waits for its own to be received, and rank 2 for what rank 0 sends next.
// expect: warning deadlock/buffering
// expect: note race/wildcard
#include <mpi.h>
#include <unistd.h>

enum { FIRST = 1, DATA = 2, NEXT = 3, HELLO = 4 };

// Not in line, so that it is one place.
__attribute__((noinline)) static void take(int *value) {
    MPI_Recv(value, 1, MPI_INT, MPI_ANY_SOURCE, DATA, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- race/wildcard
}

int main(int argc, char **argv) {
    int rank, value = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        MPI_Send(&value, 1, MPI_INT, 2, DATA, MPI_COMM_WORLD); // <- deadlock/buffering
        MPI_Send(&value, 1, MPI_INT, 2, NEXT, MPI_COMM_WORLD);
    } else if (rank == 1) {
        sleep(1);
        MPI_Send(&value, 1, MPI_INT, 2, FIRST, MPI_COMM_WORLD);
        MPI_Send(&value, 1, MPI_INT, 2, DATA, MPI_COMM_WORLD);
    } else if (rank == 2) {
        take(&value);
        MPI_Recv(&value, 1, MPI_INT, 3, HELLO, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Recv(&value, 1, MPI_INT, 0, NEXT, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- deadlock/buffering
        MPI_Recv(&value, 1, MPI_INT, 1, FIRST, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        take(&value);
        take(&value);
    } else if (rank == 3) {
        sleep(1);
        MPI_Send(&value, 1, MPI_INT, 2, HELLO, MPI_COMM_WORLD);
        MPI_Send(&value, 1, MPI_INT, 2, DATA, MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
