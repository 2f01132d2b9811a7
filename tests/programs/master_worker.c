// Rank 0 hands out tasks to whoever asks: MPI_ANY_SOURCE and MPI_ANY_TAG, in whatever order the messages come.
// expect: nothing
#include "require.h"

enum { TASKS = 40, WORK = 1, STOP = 2 };

static void master(int size) {
    int result, task = 0, sum = 0;
    MPI_Status status;
    for (int working = size - 1; working > 0;) {
        MPI_Recv(&result, 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
        sum += result;
        int tag = task < TASKS ? WORK : STOP;
        MPI_Send(&task, 1, MPI_INT, status.MPI_SOURCE, tag, MPI_COMM_WORLD);
        task++;
        working -= tag == STOP;
    }
    require(sum == TASKS * (TASKS - 1));
    printf("the sum is %d\n", sum);
}

static void worker(void) {
    int task = 0, result = 0;
    MPI_Status status;
    for (;;) {
        MPI_Send(&result, 1, MPI_INT, 0, WORK, MPI_COMM_WORLD);
        MPI_Recv(&task, 1, MPI_INT, 0, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
        if (status.MPI_TAG == STOP)
            return;
        result = 2 * task;
    }
}

int main(int argc, char **argv) {
    int rank, size;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0)
        master(size);
    else
        worker();
    MPI_Finalize();
    return 0;
}
