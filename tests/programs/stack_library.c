// Messages go by way of a library that has no line numbers: what is shown is the program's line that called the library.
// expect: error match/orphan-send
// stack: MPI_Send: layer_send_one < layer_send < exchange < main
// stack: MPI_Finalize: main
#include <mpi.h>

void layer_send(const int *values, int count, int to);

__attribute__((noinline)) static void exchange(int rank) {
    int values[2] = {1, 2};
    if (rank == 1)
        layer_send(values, 2, 0);                       // <- match/orphan-send
    if (rank == 0)
        MPI_Recv(values, 1, MPI_INT, 1, 5, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

int main(int argc, char **argv) {
    int rank;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    exchange(rank);
    MPI_Finalize();
    return 0;
}
