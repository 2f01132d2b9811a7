// The program goes to another directory, and where it may, makes that all of the file system that it sees: the trace is where it was to be.
// expect: nothing
#define _GNU_SOURCE
#include <sys/stat.h>
#include <unistd.h>
#include "require.h"

static int rank, size;

static void exchange(int times, int to, int from, MPI_Comm comm) {
    int theirs = -1;
    for (int n = 0; n < times; n++)
        MPI_Sendrecv(&rank, 1, MPI_INT, to, n, &theirs, 1, MPI_INT, from, n, comm, MPI_STATUS_IGNORE);
    require(theirs == (comm == MPI_COMM_SELF ? rank : from));
}

int main(int argc, char **argv) {
    char jail[32];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    exchange(1, (rank + 1) % size, (rank + size - 1) % size, MPI_COMM_WORLD);
    MPI_Barrier(MPI_COMM_WORLD);
    snprintf(jail, sizeof jail, "jail-%d", rank);
    mkdir(jail, 0700);
    require(chdir(jail) == 0);
    if (geteuid() == 0) require(chroot(".") == 0);
    /* More than a segment holds. */
    exchange(20000, 0, 0, MPI_COMM_SELF);
    exchange(9, (rank + 1) % size, (rank + size - 1) % size, MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
