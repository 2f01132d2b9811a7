// A layer between a program and MPI, as PETSc is one: without line numbers, without frame pointers.
#include <mpi.h>

__attribute__((noinline, visibility("hidden"))) void layer_send_one(const int *value, int to) {
    MPI_Send(value, 1, MPI_INT, to, 5, MPI_COMM_WORLD);
    __asm__ volatile("" ::: "memory");
}

void layer_send(const int *values, int count, int to) {
    for (int i = 0; i < count; i++)
        layer_send_one(values + i, to);
}
