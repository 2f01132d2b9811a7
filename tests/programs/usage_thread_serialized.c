// Two threads call MPI in turn, as MPI_THREAD_SERIALIZED allows.
// expect: nothing
#include <mpi.h>
#include <pthread.h>

static int x;

static void *work(void *unused) {
    (void)unused;
    MPI_Allreduce(MPI_IN_PLACE, &x, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    return NULL;
}

int main(int argc, char **argv) {
    int provided;
    pthread_t thread;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided);
    if (provided >= MPI_THREAD_SERIALIZED) {
        pthread_create(&thread, NULL, work, NULL);
        pthread_join(thread, NULL);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
