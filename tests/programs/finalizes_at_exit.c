// MPI_Finalize is called by a function that the end of the program calls, and a later one asks whether it was.
// expect: nothing
#include "require.h"
#include <stdlib.h>

__attribute__((destructor)) static void last(void) {
    int flag = 0;
    MPI_Finalized(&flag);
    if (!flag)
        puts("not finalized");
}

static void finalize(void) { MPI_Finalize(); }

int main(int argc, char **argv) {
    int rank, sum;
    MPI_Init(&argc, &argv);
    require(atexit(finalize) == 0);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    exit(0);
}
