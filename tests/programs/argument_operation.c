// Floating-point numbers are combined bit by bit, which no predefined operation does.
// expect: error argument/operation
// ends: failure
#include <mpi.h>

int main(int argc, char **argv) {
    double in = 1, out;
    MPI_Init(&argc, &argv);
    MPI_Allreduce(&in, &out, 1, MPI_DOUBLE, MPI_BAND, MPI_COMM_WORLD); // <- argument/operation
    MPI_Finalize();
    return 0;
}
