// Rank 0 takes the message of rank 1 or 2, whichever comes first, and goes on with that rank; with SAME it goes on with rank 1 in any case.
// FIRST says which comes first. The other one waits, outside of MPI, for a file that rank 0 makes: nothing but the match is another one.
#define _POSIX_C_SOURCE 200809L
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { TAG = 7, WORK = 8, STOP = 9 };

static const char *const FILE_NAME = "the-first-has-come";

static void wait_for_the_first(int rank) {
    if (atoi(getenv("FIRST")) == rank)
        return;
    while (access(FILE_NAME, F_OK) != 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void master(void) {
    int value;
    MPI_Status status;
    MPI_Recv(&value, 1, MPI_INT, MPI_ANY_SOURCE, TAG, MPI_COMM_WORLD, &status); // the choice
    fclose(fopen(FILE_NAME, "w"));
    int first = status.MPI_SOURCE;
    MPI_Recv(&value, 1, MPI_INT, MPI_ANY_SOURCE, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (getenv("SAME"))
        first = 1;
    MPI_Send(&value, 1, MPI_INT, first, WORK, MPI_COMM_WORLD); // they part
    MPI_Send(&value, 1, MPI_INT, 3 - first, STOP, MPI_COMM_WORLD);
    MPI_Recv(&value, 1, MPI_INT, first, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static void worker(int rank) {
    int value = 5;
    MPI_Status status;
    wait_for_the_first(rank);
    MPI_Send(&value, 1, MPI_INT, 0, TAG, MPI_COMM_WORLD);
    MPI_Recv(&value, 1, MPI_INT, 0, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
    if (status.MPI_TAG == WORK)
        MPI_Send(&value, 1, MPI_INT, 0, TAG, MPI_COMM_WORLD);
}

int main(int argc, char **argv) {
    int rank;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0)
        master();
    else if (rank < 3)
        worker(rank);
    MPI_Finalize();
    return 0;
}
