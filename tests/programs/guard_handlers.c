// The program has handlers of its own for the signals by which accesses are seen: it gets those that are its own, and goes on by jumping out of
// one; what it sets and asks is what it has set.
// record: --guard
// expect: error buffer/touched
#define _GNU_SOURCE
#include "require.h"
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

static sigjmp_buf back;
static volatile sig_atomic_t segments, traps, alarms;
static void* volatile address;

static void on_segment(int signal, siginfo_t* information, void* context) {
    (void)signal, (void)context;
    segments++;
    address = information->si_addr;
    siglongjmp(back, 1);
}

static void on_trap(int signal) {
    (void)signal;
    traps++;
}

static void on_alarm(int signal) {
    (void)signal;
    alarms++;
}

int main(int argc, char** argv) {
    int rank, size;
    MPI_Request request;
    struct sigaction action = {.sa_sigaction = on_segment, .sa_flags = SA_SIGINFO}, old;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    double* y = calloc(2000, sizeof *y);
    char* closed = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(closed != MAP_FAILED);
    MPI_Irecv(y + 1, 1000, MPI_DOUBLE, (rank + size - 1) % size, 0, MPI_COMM_WORLD, &request);  // <- buffer/touched
    require(sigaction(SIGSEGV, &action, NULL) == 0 && sigaction(SIGSEGV, NULL, &old) == 0);
    require(old.sa_sigaction == on_segment && old.sa_flags & SA_SIGINFO);
    require(signal(SIGTRAP, on_trap) == SIG_DFL && signal(SIGTRAP, on_trap) == on_trap);
    // A handler that wants all signals blocked is interrupted by none of the program's, and works beside a buffer.
    struct sigaction quiet = {.sa_handler = on_alarm};
    sigfillset(&quiet.sa_mask);
    require(sigaction(SIGALRM, &quiet, NULL) == 0);
    sigset_t all, before;
    sigfillset(&all);
    require(sigprocmask(SIG_SETMASK, &all, &before) == 0);
    y[1500] = 1;
    y[0] = 1;
    require(sigprocmask(SIG_SETMASK, &before, NULL) == 0);
    for (int i = 0; i < 3; i++) {
        if (sigsetjmp(back, 1) == 0) *(volatile char*)closed = 1;
        require(address == closed && segments == 2 * i + 1);
        if (sigsetjmp(back, 1) == 0) *(volatile char*)16 = 1;
        require(address == (void*)16 && segments == 2 * i + 2);
        raise(SIGTRAP);
        raise(SIGALRM);
        y[0] += 1;
    }
    require(traps == 3 && alarms == 3 && y[0] == 4);
    y[500] = 1;                                                                                 // <- buffer/touched
    MPI_Send(y + 1001, 999, MPI_DOUBLE, (rank + 1) % size, 0, MPI_COMM_WORLD);
    MPI_Wait(&request, MPI_STATUS_IGNORE);                                                      // <- buffer/touched
    require(segments == 6);
    free(y);
    MPI_Finalize();
    return 0;
}
