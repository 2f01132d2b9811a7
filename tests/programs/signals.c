// A timer interrupts every rank a thousand times a second; the handler, on a stack of its own, asks MPI for the time.
// expect: nothing
#define _GNU_SOURCE
#include "require.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

static volatile sig_atomic_t interruptions;
static volatile double latest;

static void interrupt(int signal) {
    int flag = 0;
    (void)signal;
    latest = MPI_Wtime();
    MPI_Initialized(&flag);
    interruptions += flag;
}

int main(int argc, char **argv) {
    int rank, size, value, other;
    stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_ONSTACK | SA_RESTART};
    struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    require(sigaltstack(&stack, NULL) == 0 && sigaction(SIGALRM, &action, NULL) == 0);
    require(setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (value = 0; value < 1000 || interruptions < 50; value++) {
        for (int round = 0; round < 100; round++)
            MPI_Sendrecv(&value, 1, MPI_INT, 0, 0, &other, 1, MPI_INT, 0, 0, MPI_COMM_SELF, MPI_STATUS_IGNORE);
        require(other == value);
    }
    require(setitimer(ITIMER_REAL, &never, NULL) == 0);
    MPI_Allreduce(&rank, &other, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    require(other == size * (size - 1) / 2);
    MPI_Finalize();
    return 0;
}
