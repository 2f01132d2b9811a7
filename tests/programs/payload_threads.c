// Two threads of each rank receive at once, each its own, and one of them what the other has begun. Each writes down what it got.
// expect: nothing
#include <pthread.h>
#include <stdint.h>
#include "require.h"

static int rank, size;
static int begun[6];
static MPI_Request request;

static void note(FILE *notes, const void *data, size_t bytes) {
    uint64_t digest = 14695981039346656037u;
    for (size_t i = 0; i < bytes; i++) digest = (digest ^ ((const unsigned char *)data)[i]) * 1099511628211u;
    fprintf(notes, "%zu %016llx\n", bytes, (unsigned long long)digest);
}

static void exchange(int thread) {
    char name[32];
    int x[4], y[8], next = (rank + 1) % size, before = (rank + size - 1) % size;
    snprintf(name, sizeof name, thread ? "received-%d.%d" : "received-%d", rank, thread);
    FILE *notes = fopen(name, "w");
    require(notes != NULL);
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 4; i++) x[i] = 1000 * rank + 100 * thread + round + i;
        MPI_Sendrecv(x, 4, MPI_INT, next, thread, y, 8, MPI_INT, before, thread, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        note(notes, y, 4 * sizeof(int));
    }
    if (thread) {
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        note(notes, begun, 4 * sizeof(int));
    } else {
        MPI_Send(x, 4, MPI_INT, next, 7, MPI_COMM_WORLD);
    }
    fclose(notes);
}

static void *other(void *nothing) {
    exchange(1);
    return nothing;
}

int main(int argc, char **argv) {
    int provided;
    pthread_t thread;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Irecv(begun, 6, MPI_INT, (rank + size - 1) % size, 7, MPI_COMM_WORLD, &request);
    /* Where the library allows no two threads, this test is of one. */
    if (provided == MPI_THREAD_MULTIPLE) require(pthread_create(&thread, NULL, other, NULL) == 0);
    exchange(0);
    if (provided == MPI_THREAD_MULTIPLE) pthread_join(thread, NULL);
    else MPI_Request_free(&request);
    MPI_Finalize();
    return 0;
}
