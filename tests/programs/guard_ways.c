// As landing.c, with the pages of what is under way closed: everything comes to where it belongs, in every way to complete an operation.
// record: --guard
// expect: warning request/freed-active
#include "require.h"
#include <string.h>

enum { N = 40 };

static int rank, size, left, right;

static void send(int tag, int count) {
    int x[N];
    for (int i = 0; i < N; i++) x[i] = 1000 * rank + 10 * tag + i;
    MPI_Send(x, count, MPI_INT, right, tag, MPI_COMM_WORLD);
}

static void require_received(const int* y, int stride, int tag, int count, int room) {
    for (int i = 0; i < count; i++) require(y[i * stride] == 1000 * left + 10 * tag + i);
    for (int i = count; i < room; i++) require(y[i * stride] == -1);
}

static void receive(int* y, int tag, MPI_Request* request) {
    for (int i = 0; i < N; i++) y[i] = -1;
    MPI_Irecv(y, N, MPI_INT, left, tag, MPI_COMM_WORLD, request);
}

static void completes(void) {
    static int y[8][N];
    MPI_Request r[8];
    MPI_Status status;
    int flag = 0, index, count = 0, done = 0, indices[8];
    for (int i = 0; i < 8; i++) receive(y[i], i, &r[i]);
    for (int i = 0; i < 8; i++) send(i, N - i);
    MPI_Wait(&r[0], &status);
    require_received(y[0], 1, 0, N, N);
    while (!flag) MPI_Test(&r[1], &flag, MPI_STATUS_IGNORE);
    require_received(y[1], 1, 1, N - 1, N);
    MPI_Waitany(2, &r[2], &index, &status);
    require_received(y[2 + index], 1, 2 + index, N - 2 - index, N);
    index = 1 - index;
    for (int i = -1; i < 0;) MPI_Testany(2, &r[2], &i, &flag, MPI_STATUS_IGNORE);
    require_received(y[2 + index], 1, 2 + index, N - 2 - index, N);
    while (done < 4) {
        MPI_Testsome(4, &r[4], &count, indices, MPI_STATUSES_IGNORE);
        for (int i = 0; i < count; i++) require_received(y[4 + indices[i]], 1, 4 + indices[i], N - 4 - indices[i], N);
        done += count > 0 ? count : 0;
    }
}

static void columns(void) {
    int matrix[N][3];
    MPI_Datatype column, resized;
    MPI_Request request;
    MPI_Type_vector(N, 1, 3, MPI_INT, &column);
    MPI_Type_create_resized(column, 0, sizeof(int), &resized);
    MPI_Type_commit(&resized);
    memset(matrix, -1, sizeof matrix);
    MPI_Irecv(&matrix[0][0], 2, resized, left, 1, MPI_COMM_WORLD, &request);
    MPI_Type_free(&resized);
    MPI_Type_free(&column);
    for (int i = 0; i < N; i++) matrix[i][2] = i;
    send(1, N - 3);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    require_received(&matrix[0][0], 3, 1, N - 3, N);
    for (int i = 0; i < N; i++) require(matrix[i][1] == -1 && matrix[i][2] == i);
}

static void persistent(void) {
    int y[N];
    MPI_Request request;
    for (int i = 0; i < N; i++) y[i] = -1;
    MPI_Recv_init(y, N, MPI_INT, left, MPI_ANY_TAG, MPI_COMM_WORLD, &request);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++) y[i] = -1;
        MPI_Start(&request);
        send(round, N - round);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        require_received(y, 1, round, N - round, N);
    }
    MPI_Request_free(&request);
}

static void others(void) {
    int y[N], flag = 0;
    MPI_Request request;
    MPI_Status status;
    receive(y, 99, &request);
    MPI_Cancel(&request);
    MPI_Wait(&request, &status);
    MPI_Test_cancelled(&status, &flag);
    require(flag);
    require_received(y, 1, 99, 0, N);

    receive(y, 5, &request);
    send(5, N);
    for (flag = 0; !flag;) MPI_Request_get_status(request, &flag, MPI_STATUS_IGNORE);
    require_received(y, 1, 5, N, N);
    y[0] = 17;
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    require(y[0] == 17);

    MPI_Message message;
    MPI_Request sending;
    int x[N];
    for (int i = 0; i < N; i++) x[i] = 1000 * rank + 70 + i;
    MPI_Isend(x, N, MPI_INT, right, 7, MPI_COMM_WORLD, &sending);
    MPI_Mprobe(left, 7, MPI_COMM_WORLD, &message, &status);
    for (int i = 0; i < N; i++) y[i] = -1;
    MPI_Imrecv(y, N, MPI_INT, &message, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Wait(&sending, MPI_STATUS_IGNORE);
    require_received(y, 1, 7, N, N);

    MPI_Irecv(y, N, MPI_INT, MPI_PROC_NULL, 7, MPI_COMM_WORLD, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
}

// Nobody is told when a receive is complete whose request was freed. That what its sender sent after it has come says it on every library at hand.
static void freed(void) {
    static int y[N];
    MPI_Request request;
    receive(y, 8, &request);
    MPI_Request_free(&request);
    require(request == MPI_REQUEST_NULL);
    send(8, N);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Sendrecv(&rank, 1, MPI_INT, right, 9, &(int){0}, 1, MPI_INT, left, 9, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Barrier(MPI_COMM_WORLD);
    require_received(y, 1, 8, N, N);
}

static void collectives(void) {
    int *all = malloc(size * sizeof *all), *counts = malloc(2 * size * sizeof *counts), one = rank, sum = rank;
    MPI_Request r[3];
    MPI_Iallgather(&one, 1, MPI_INT, all, 1, MPI_INT, MPI_COMM_WORLD, &r[0]);
    MPI_Iallreduce(MPI_IN_PLACE, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &r[1]);
    int root = rank == 1 ? 42 : 0;
    MPI_Ibcast(&root, 1, MPI_INT, 1, MPI_COMM_WORLD, &r[2]);
    MPI_Waitall(3, r, MPI_STATUSES_IGNORE);
    for (int i = 0; i < size; i++) require(all[i] == i);
    require(sum == size * (size - 1) / 2 && root == 42);

    // Each leaves a hole behind what it gets from whom, which is the program's.
    int *got = malloc(2 * size * sizeof *got);
    for (int i = 0; i < size; i++) counts[i] = 1, counts[size + i] = 2 * i;
    for (int i = 0; i < 2 * size; i++) got[i] = -1;
    MPI_Iallgatherv(&one, 1, MPI_INT, got, counts, counts + size, MPI_INT, MPI_COMM_WORLD, &r[0]);
    for (int i = 0; i < size; i++) got[2 * i + 1] = -7;
    MPI_Wait(&r[0], MPI_STATUS_IGNORE);
    // What lies behind the last block is not the operation's at all.
    for (int i = 0; i < size; i++) require(got[2 * i] == i && got[2 * i + 1] == -7);
    free(all);
    free(counts);
    free(got);
}

int main(int argc, char** argv) {
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    left = (rank + size - 1) % size;
    right = (rank + 1) % size;
    completes();
    columns();
    persistent();
    others();
    freed();
    collectives();
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
