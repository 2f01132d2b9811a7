// Two threads a rank communicate at once, each with its like in the next rank, if the library allows that.
// expect: nothing
#include "require.h"
#include <pthread.h>

enum { THREADS = 2, ROUNDS = 50 };
static int rank, size;

static void *exchange(void *number) {
    int thread = *(int *)number, other, to = (rank + 1) % size, from = (rank + size - 1) % size;
    for (int round = 0; round < ROUNDS; round++) {
        int value = rank * 1000 + thread * 100 + round;
        MPI_Sendrecv(&value, 1, MPI_INT, to, thread, &other, 1, MPI_INT, from, thread, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        require(other == from * 1000 + thread * 100 + round);
    }
    return NULL;
}

int main(int argc, char **argv) {
    int provided, numbers[THREADS];
    pthread_t threads[THREADS];
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    for (int n = 0; n < THREADS && provided == MPI_THREAD_MULTIPLE; n++) {
        numbers[n] = n;
        require(pthread_create(&threads[n], NULL, exchange, &numbers[n]) == 0);
    }
    for (int n = 0; n < THREADS && provided == MPI_THREAD_MULTIPLE; n++)
        pthread_join(threads[n], NULL);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
