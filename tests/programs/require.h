// What a correct program asserts of its own results: a wrong one ends the job, and so fails the test.
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#define require(condition)                                                                \
    do {                                                                                  \
        if (!(condition)) {                                                               \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);       \
            MPI_Abort(MPI_COMM_WORLD, 1);                                                 \
        }                                                                                 \
    } while (0)
