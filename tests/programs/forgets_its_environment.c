// Every rank takes out of its environment what it does not know, and changes its directory, before it calls MPI.
// expect: nothing
#define _DEFAULT_SOURCE
#include "require.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv) {
    int rank, sum;
    for (char **entry = environ; *entry;) {
        char *end = strchr(*entry, '='), name[256];
        if (end && (strncmp(*entry, "MPITRACE_", 9) == 0 || strncmp(*entry, "LD_PRELOAD=", 11) == 0)) {
            snprintf(name, sizeof name, "%.*s", (int)(end - *entry), *entry);
            unsetenv(name);
        } else {
            entry++;
        }
    }
    require(chdir("/") == 0);
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
