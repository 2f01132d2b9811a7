// The time that a rank takes from `begin` to the end of MPI_Finalize: processor time of all its threads, and time on the clock.
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static double began_cpu, began_clock;

static double cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + 1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static double clock_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void begin(void) {
    began_cpu = cpu_seconds();
    began_clock = clock_seconds();
}

// Ends MPI and prints one line a rank: its MPI calls in between, processor seconds, seconds on the clock.
static void finish(long calls) {
    MPI_Finalize();
    printf("%ld %.6f %.6f\n", calls, cpu_seconds() - began_cpu, clock_seconds() - began_clock);
}
