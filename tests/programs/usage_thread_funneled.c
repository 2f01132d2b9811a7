// MPI is initialized for one thread, and a second one sends.
// expect: error usage/thread-level
// ends: anyhow
#include <mpi.h>
#include <pthread.h>

static int rank, x;

static void *work(void *unused) {
    (void)unused;
    if (rank == 0)
        MPI_Send(&x, 1, MPI_INT, 1, 0, MPI_COMM_WORLD); // <- usage/thread-level
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t thread;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    pthread_create(&thread, NULL, work, NULL);
    pthread_join(thread, NULL);
    if (rank == 1)
        MPI_Recv(&x, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Finalize();
    return 0;
}
