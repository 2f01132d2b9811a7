// A program's own layer sends from one line for all: the line alone does not tell which of two calls has the wrong tag.
// expect: error match/tag
// ends: hang
// stack: MPI_Send: send_one < good < main
// stack: MPI_Send: send_one < bad < main
#include <mpi.h>

__attribute__((noinline)) static void send_one(int value, int tag) {
    MPI_Send(&value, 1, MPI_INT, 1, tag, MPI_COMM_WORLD); // <- match/tag
    __asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) static void good(void) {
    send_one(1, 1);
    __asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) static void bad(void) {
    send_one(2, 3);
    __asm__ volatile("" ::: "memory");
}

int main(int argc, char **argv) {
    int rank, value;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        good();
        bad();
    }
    for (int tag = 1; rank == 1 && tag < 3; tag++)
        MPI_Recv(&value, 1, MPI_INT, 0, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- match/tag
    MPI_Finalize();
    return 0;
}
