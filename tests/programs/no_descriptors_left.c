// Every rank opens files until it may open no more, and then makes more calls than the recorder can hold in memory.
// expect: nothing
#define _DEFAULT_SOURCE
#include "require.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int value, other, last = -1, first;
    struct rlimit limit, few;
    MPI_Init(&argc, &argv);
    MPI_Barrier(MPI_COMM_WORLD);
    require(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    few = limit;
    few.rlim_cur = 128;
    require(setrlimit(RLIMIT_NOFILE, &few) == 0);
    first = open("/dev/null", O_RDONLY);
    for (int number = first; number >= 0; number = open("/dev/null", O_RDONLY))
        last = number;
    for (value = 0; value < 30000; value++) {
        MPI_Sendrecv(&value, 1, MPI_INT, 0, 0, &other, 1, MPI_INT, 0, 0, MPI_COMM_SELF, MPI_STATUS_IGNORE);
        require(other == value);
    }
    for (int number = first; number <= last; number++)
        if (fcntl(number, F_GETFD) >= 0 && (fcntl(number, F_GETFL) & O_ACCMODE) == O_RDONLY && number != 0)
            close(number);
    require(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    MPI_Finalize();
    return 0;
}
