// Every rank makes more than a million calls, no two alike in what they carry, and needs no more memory in the end than early on.
// expect: nothing
#define _DEFAULT_SOURCE
#include "require.h"
#include <unistd.h>

/* The memory that is resident, in MiB. */
static long resident(void) {
    long all = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    require(file && fscanf(file, "%ld %ld", &all, &pages) == 2);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE) >> 20;
}

int main(int argc, char **argv) {
    long early = 0;
    unsigned value = 1, other;
    MPI_Init(&argc, &argv);
    for (int round = 0; round < 400000; round++) {
        MPI_Request requests[2];
        value = value * 1664525 + 1013904223;
        MPI_Irecv(&other, 1, MPI_UNSIGNED, 0, value % 1000, MPI_COMM_SELF, &requests[0]);
        MPI_Isend(&value, 1, MPI_UNSIGNED, 0, value % 1000, MPI_COMM_SELF, &requests[1]);
        MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
        require(other == value);
        if (round == 50000)
            early = resident();
    }
    require(resident() <= early + 1);
    MPI_Finalize();
    return 0;
}
