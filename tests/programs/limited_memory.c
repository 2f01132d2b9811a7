// Every rank takes all the memory that it may have, finds that there is no more, and goes on with what it has.
// expect: undecided
#define _DEFAULT_SOURCE
#include "require.h"
#include <stdlib.h>
#include <sys/resource.h>

static void *blocks[1 << 16];

int main(int argc, char **argv) {
    int value, other, count = 0;
    struct rlimit limit, little;
    MPI_Init(&argc, &argv);
    for (value = 0; value < 100; value++)
        MPI_Sendrecv(&value, 1, MPI_INT, 0, 0, &other, 1, MPI_INT, 0, 0, MPI_COMM_SELF, MPI_STATUS_IGNORE);
    require(getrlimit(RLIMIT_AS, &limit) == 0);
    little = limit;
    little.rlim_cur = 1 << 20;
    require(setrlimit(RLIMIT_AS, &little) == 0);
    for (size_t size = 1 << 20; size >= 16; size /= 2)
        while (count < 1 << 16 && (blocks[count] = malloc(size)))
            count++;
    for (value = 0; value < 30000; value++) {
        MPI_Sendrecv(&value, 1, MPI_INT, 0, value, &other, 1, MPI_INT, 0, value, MPI_COMM_SELF, MPI_STATUS_IGNORE);
        require(other == value);
    }
    while (count > 0)
        free(blocks[--count]);
    require(setrlimit(RLIMIT_AS, &limit) == 0);
    MPI_Finalize();
    return 0;
}
