// Two threads of each rank fill the parts of one message, and mark them as ready.
// needs: MPI_Psend_init
// expect: nothing
#include "require.h"
#include <pthread.h>

enum { PARTS = 8, EACH = 16, THREADS = 2 };

static int out[PARTS * EACH], in[PARTS * EACH];
static MPI_Request sending;

static void *fill(void *number) {
    for (int part = *(int *)number; part < PARTS; part += THREADS) {
        for (int i = 0; i < EACH; i++)
            out[part * EACH + i] = part;
        MPI_Pready(part, sending);
    }
    return NULL;
}

int main(int argc, char **argv) {
    int rank, size, provided, numbers[THREADS];
    pthread_t threads[THREADS];
    MPI_Request receiving;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    require(provided == MPI_THREAD_MULTIPLE);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Psend_init(out, PARTS, EACH, MPI_INT, (rank + 1) % size, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &sending);
    MPI_Precv_init(in, PARTS, EACH, MPI_INT, (rank + size - 1) % size, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &receiving);
    MPI_Start(&sending);
    MPI_Start(&receiving);
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        pthread_create(&threads[i], NULL, fill, &numbers[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    MPI_Wait(&sending, MPI_STATUS_IGNORE);
    MPI_Wait(&receiving, MPI_STATUS_IGNORE);
    for (int i = 0; i < PARTS * EACH; i++)
        require(in[i] == i / EACH);
    MPI_Request_free(&sending);
    MPI_Request_free(&receiving);
    if (rank == 0)
        puts("filled by many");
    MPI_Finalize();
    return 0;
}
