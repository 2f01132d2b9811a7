// A signal comes while a rank is in a call of MPI, and its handler jumps out of that call. It is not harmed; its recording ends in that call.
// expect: warning run/unfinished
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include "require.h"

static sigjmp_buf before;
static int rank, size, jumps;

static void jump(int signal) { siglongjmp(before, signal); }

/* The library calls this in the middle of MPI_Reduce_local. */
static void interrupted(void *in, void *inout, int *len, MPI_Datatype *datatype) {
    (void)in, (void)inout, (void)len, (void)datatype;
    raise(SIGUSR1);
}

int main(int argc, char **argv) {
    int mine, theirs = -1, sum = 0;
    MPI_Op op;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Op_create(interrupted, 1, &op);
    signal(SIGUSR1, jump);
    for (volatile int n = 0; n < 3; n++) {
        mine = rank;
        if (sigsetjmp(before, 1) == 0)
            MPI_Reduce_local(&mine, &theirs, 1, MPI_INT, op);  // <- run/unfinished
        else
            jumps++;
        MPI_Sendrecv(&mine, 1, MPI_INT, (rank + 1) % size, n, &theirs, 1, MPI_INT, (rank + size - 1) % size, n, MPI_COMM_WORLD,
                     MPI_STATUS_IGNORE);
        require(theirs == (rank + size - 1) % size);
        MPI_Allreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        require(sum == size * (size - 1) / 2);
    }
    require(jumps == 3);
    MPI_Op_free(&op);
    MPI_Finalize();
    if (rank == 0) puts("jumped out of it");
    return 0;
}
