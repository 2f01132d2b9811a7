// Every rank sets a limit on the size of files, and has not set itself up for the signal that comes when a file would be larger.
// expect: undecided
#define _DEFAULT_SOURCE
#include "require.h"
#include <sys/resource.h>

int main(int argc, char **argv) {
    int value, other;
    struct rlimit limit, little;
    MPI_Init(&argc, &argv);
    MPI_Barrier(MPI_COMM_WORLD);
    require(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    little = limit;
    little.rlim_cur = 1000;
    require(setrlimit(RLIMIT_FSIZE, &little) == 0);
    for (value = 0; value < 30000; value++) {
        MPI_Sendrecv(&value, 1, MPI_INT, 0, 0, &other, 1, MPI_INT, 0, 0, MPI_COMM_SELF, MPI_STATUS_IGNORE);
        require(other == value);
    }
    require(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    MPI_Finalize();
    return 0;
}
