// Each rank of a ring asks for a value of its left neighbour by name and for one of its right neighbour from anybody. The named receive is
// posted last, and the other one may have taken its message by then.
// expect: error deadlock/cycle
// expect: note race/wildcard
#include <mpi.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int rank, size, left, right, one = 1, two = 2, first, second;
    MPI_Request sends[2];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    left = (rank + size - 1) % size;
    right = (rank + 1) % size;
    MPI_Isend(&one, 1, MPI_INT, left, 0, MPI_COMM_WORLD, &sends[0]);
    sleep(1);
    MPI_Isend(&two, 1, MPI_INT, right, 0, MPI_COMM_WORLD, &sends[1]);
    MPI_Recv(&first, 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- race/wildcard
    MPI_Recv(&second, 1, MPI_INT, left, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Waitall(2, sends, MPI_STATUSES_IGNORE);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
