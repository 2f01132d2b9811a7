// Every way to complete requests: Test, Waitany, Waitsome, Testany, Testsome, Testall, in loops until all are done.
// expect: nothing
#include "require.h"

enum { MESSAGES = 6 };

static int rank, values[MESSAGES];
static MPI_Request requests[MESSAGES];

static void start(int tag) {
    for (int i = 0; i < MESSAGES; i++) {
        if (rank == 0)
            MPI_Irecv(&values[i], 1, MPI_INT, 1 + i % 3, tag, MPI_COMM_WORLD, &requests[i]);
        else if (i < MESSAGES / 3)
            MPI_Isend(&rank, 1, MPI_INT, 0, tag, MPI_COMM_WORLD, &requests[i]);
        else
            requests[i] = MPI_REQUEST_NULL;
    }
}

static void by_waitany(void) {
    int index;
    start(0);
    do
        MPI_Waitany(MESSAGES, requests, &index, MPI_STATUS_IGNORE);
    while (index != MPI_UNDEFINED);
}

static void by_waitsome(void) {
    int done, indices[MESSAGES];
    MPI_Status statuses[MESSAGES];
    start(1);
    do
        MPI_Waitsome(MESSAGES, requests, &done, indices, statuses);
    while (done != MPI_UNDEFINED);
}

static void by_testany(void) {
    int index = 0, flag;
    start(2);
    do
        MPI_Testany(MESSAGES, requests, &index, &flag, MPI_STATUS_IGNORE);
    while (!flag || index != MPI_UNDEFINED);
}

static void by_testsome(void) {
    int done, indices[MESSAGES];
    start(3);
    do
        MPI_Testsome(MESSAGES, requests, &done, indices, MPI_STATUSES_IGNORE);
    while (done != MPI_UNDEFINED);
}

static void by_testall(void) {
    int flag = 0;
    MPI_Status statuses[MESSAGES];
    start(4);
    while (!flag)
        MPI_Testall(MESSAGES, requests, &flag, statuses);
}

static void by_test(void) {
    start(5);
    for (int i = 0; i < MESSAGES; i++)
        for (int flag = 0; !flag;)
            MPI_Test(&requests[i], &flag, MPI_STATUS_IGNORE);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    by_waitany();
    by_waitsome();
    by_testany();
    by_testsome();
    by_testall();
    by_test();
    if (rank == 0) {
        for (int i = 0; i < MESSAGES; i++)
            require(values[i] == 1 + i % 3);
        puts("all completed");
    }
    MPI_Finalize();
    return 0;
}
