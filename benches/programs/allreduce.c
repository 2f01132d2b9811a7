// All ranks add up one number, again and again.
#include "measure.h"

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    long rounds = atol(argv[1]);
    double mine = 1, sum;
    MPI_Barrier(MPI_COMM_WORLD);
    begin();
    for (long round = 0; round < rounds; round++)
        MPI_Allreduce(&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    finish(rounds);
    return 0;
}
