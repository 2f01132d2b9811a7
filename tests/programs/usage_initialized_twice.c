// MPI is initialized by the program, and once more by something that does not ask.
// expect: error usage/initialized-twice
// ends: anyhow
#include <mpi.h>
#include <stddef.h>

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    MPI_Init(NULL, NULL); // <- usage/initialized-twice
    MPI_Finalize();
    return 0;
}
