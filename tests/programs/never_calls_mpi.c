// A program under mpiexec that never calls MPI.
// expect: no trace
#include <stdio.h>

int main(void) {
    puts("hello");
    return 0;
}
