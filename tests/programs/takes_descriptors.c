// Every rank closes what it does not know above number 100, takes the numbers for a file of its own, closes its standard output and opens
// another file, which gets that number; and then makes more calls than the recorder can hold in memory.
// expect: nothing
#define _DEFAULT_SOURCE
#include "require.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int value, other;
    char text[16] = "";
    MPI_Init(&argc, &argv);
    MPI_Barrier(MPI_COMM_WORLD);
    FILE *file = tmpfile(), *output = tmpfile();
    require(file && output);
    for (int number = 100; number < 600; number++) {
        close(number);
        require(dup2(fileno(file), number) == number);
    }
    close(STDOUT_FILENO);
    require(dup(fileno(output)) == STDOUT_FILENO);
    for (int round = 0; round < 30000; round++) {
        value = round;
        MPI_Sendrecv(&value, 1, MPI_INT, 0, 0, &other, 1, MPI_INT, 0, 0, MPI_COMM_SELF, MPI_STATUS_IGNORE);
        require(other == round);
    }
    require(lseek(fileno(file), 0, SEEK_END) == 0);
    printf("mine\n");
    fflush(stdout);
    require(pread(fileno(output), text, sizeof text, 0) == 5 && strcmp(text, "mine\n") == 0);
    MPI_Finalize();
    return 0;
}
