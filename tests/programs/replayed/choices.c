// Prints what MPI chose: whose messages receives from anybody took, what completed first, how often polls found nothing.
// The rank that LATE names is late; the others come to rank 0 in another order then.
#define _POSIX_C_SOURCE 199309L
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 6, TAG = 7, ANSWER = 8, SLOTS = 3, LATE_NS = 20000000 };

static int rank, size;

static void be_late(void) {
    const char *late = getenv("LATE");
    if (late && atoi(late) == rank)
        nanosleep(&(struct timespec){.tv_nsec = LATE_NS}, NULL);
}

static void blocking(void) {
    for (int i = 0; i < (size - 1) * ROUNDS; i++) {
        int value;
        MPI_Status status;
        MPI_Recv(&value, 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
        printf("received %d from %d\n", value, status.MPI_SOURCE);
        MPI_Send(&value, 1, MPI_INT, status.MPI_SOURCE, ANSWER, MPI_COMM_WORLD);
    }
}

static void nonblocking(void) {
    int values[SLOTS], left = (size - 1) * ROUNDS, posted = 0;
    MPI_Request requests[SLOTS];
    for (int i = 0; i < SLOTS; i++, posted++)
        MPI_Irecv(&values[i], 1, MPI_INT, MPI_ANY_SOURCE, TAG, MPI_COMM_WORLD, &requests[i]);
    for (; left > 0; left--) {
        int index;
        MPI_Status status;
        MPI_Waitany(SLOTS, requests, &index, &status);
        int value = values[index], source = status.MPI_SOURCE;
        printf("slot %d has %d from %d\n", index, value, source);
        if (posted < (size - 1) * ROUNDS) {
            MPI_Irecv(&values[index], 1, MPI_INT, MPI_ANY_SOURCE, TAG, MPI_COMM_WORLD, &requests[index]);
            posted++;
        }
        MPI_Send(&value, 1, MPI_INT, source, ANSWER, MPI_COMM_WORLD);
    }
}

static void polling(void) {
    for (int i = 0; i < (size - 1) * ROUNDS; i++) {
        int flag = 0, nothing = 0, value;
        MPI_Status status;
        for (;;) {
            MPI_Iprobe(MPI_ANY_SOURCE, TAG, MPI_COMM_WORLD, &flag, &status);
            if (flag)
                break;
            nothing++;
        }
        MPI_Recv(&value, 1, MPI_INT, status.MPI_SOURCE, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        printf("after %d times nothing %d from %d\n", nothing, value, status.MPI_SOURCE);
        MPI_Send(&value, 1, MPI_INT, status.MPI_SOURCE, ANSWER, MPI_COMM_WORLD);
    }
}

static void some(void) {
    enum { MOST = 16 };
    int values[MOST], indices[MOST], count, left = size - 1, nothing = 0;
    MPI_Request requests[MOST];
    MPI_Status statuses[MOST];
    for (int i = 0; i < size - 1; i++)
        MPI_Irecv(&values[i], 1, MPI_INT, i + 1, TAG, MPI_COMM_WORLD, &requests[i]);
    while (left > 0) {
        MPI_Testsome(size - 1, requests, &count, indices, statuses);
        if (count == 0)
            nothing++;
        for (int i = 0; i < count; i++)
            printf("after %d times nothing %d has come from %d\n", nothing, indices[i], statuses[i].MPI_SOURCE);
        left -= count;
    }
    for (int i = 1; i < size; i++)
        MPI_Send(&i, 1, MPI_INT, i, ANSWER, MPI_COMM_WORLD);
}

static void tested(void) {
    int value, flag = 0, nothing = 0;
    MPI_Request request;
    for (int i = 0; i < size - 1; i++, flag = 0) {
        MPI_Status status;
        MPI_Irecv(&value, 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &request);
        for (;; nothing++) {
            MPI_Test(&request, &flag, &status);
            if (flag)
                break;
        }
        printf("after %d times nothing %d from %d\n", nothing, value, status.MPI_SOURCE);
    }
    for (int i = 1; i < size; i++)
        MPI_Send(&i, 1, MPI_INT, i, ANSWER, MPI_COMM_WORLD);
}

static void work(int rounds) {
    for (int i = 0; i < rounds; i++) {
        int value = rank * 100 + i;
        be_late();
        MPI_Send(&value, 1, MPI_INT, 0, TAG, MPI_COMM_WORLD);
        MPI_Recv(&value, 1, MPI_INT, 0, ANSWER, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    void (*const parts[])(void) = {blocking, nonblocking, polling, some, tested};
    const int rounds[] = {ROUNDS, ROUNDS, ROUNDS, 1, 1};
    for (int part = 0; part < 5; part++) {
        if (rank == 0)
            parts[part]();
        else
            work(rounds[part]);
        MPI_Barrier(MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
