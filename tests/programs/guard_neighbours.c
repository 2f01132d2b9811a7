// What shares pages with buffers under way is used freely: other variables, elements in the holes of derived types, output and input of the
// system, threads and other programs. What is sent is read. None of that is an access to a buffer under way.
// record: --guard
// expect: nothing
#define _GNU_SOURCE
#include "require.h"
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/uio.h>

enum { N = 64 };

static struct {
    int before[5];
    int received[10];
    int between[3];
    int sent[10];
    int after[5];
} all;

static void* count_up(void* where) {
    for (int i = 0; i < 1000; i++) ++*(volatile int*)where;
    return NULL;
}

int main(int argc, char** argv) {
    int rank, size;
    MPI_Request requests[4];
    MPI_Datatype column;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int right = (rank + 1) % size, left = (rank + size - 1) % size;
    MPI_Type_vector(N, 1, N, MPI_DOUBLE, &column);
    MPI_Type_commit(&column);
    double* matrix = calloc(N * N, sizeof *matrix);
    char* text = malloc(200);
    for (int i = 0; i < 10; i++) all.sent[i] = rank * 10 + i;
    for (int i = 0; i < N; i++) matrix[i * N + 1] = rank;

    MPI_Irecv(all.received, 10, MPI_INT, left, 0, MPI_COMM_WORLD, &requests[0]);
    MPI_Irecv(matrix, 1, column, left, 1, MPI_COMM_WORLD, &requests[1]);
    MPI_Isend(all.sent, 10, MPI_INT, right, 0, MPI_COMM_WORLD, &requests[2]);
    MPI_Isend(matrix + 1, 1, column, right, 1, MPI_COMM_WORLD, &requests[3]);

    int sum = 0;
    for (int i = 0; i < 10; i++) sum += all.sent[i];
    require(sum == rank * 100 + 45);
    for (int i = 0; i < 5; i++) all.before[i] = all.after[i] = i;
    all.between[1] = 5;
    for (int i = 0; i < N; i++) matrix[i * N + 2] = i;
    for (int i = 0; i < N; i++) require(matrix[i * N + 1] == rank && matrix[i * N + 2] == i);

    // The kernel reads and writes what lies beside the buffers.
    int ends[2];
    require(pipe(ends) == 0);
    require(write(ends[1], all.before, sizeof all.before) == sizeof all.before);
    require(read(ends[0], all.after, sizeof all.after) == sizeof all.after);
    require(all.after[4] == 4);
    struct iovec pieces[2] = {{all.between, sizeof all.between}, {matrix + 2, 8}};
    require(writev(ends[1], pieces, 2) == sizeof all.between + 8);
    require(read(ends[0], matrix + 3, sizeof all.between + 8) == sizeof all.between + 8);
    strcpy(text, "/");
    require(stat(text, (struct stat*)(matrix + 5)) == 0);
    if (rank == 0) printf("neighbours\n");
    fflush(stdout);

    pthread_t thread;
    require(pthread_create(&thread, NULL, count_up, &all.between[2]) == 0);
    pthread_join(thread, NULL);
    require(all.between[2] == 1000);
    require(system("true") == 0);
    pid_t child = fork();
    if (child == 0) _exit(all.between[1] == 5 ? 0 : 1);
    int status;
    require(waitpid(child, &status, 0) == child && status == 0);

    MPI_Waitall(4, requests, MPI_STATUSES_IGNORE);
    for (int i = 0; i < 10; i++) require(all.received[i] == left * 10 + i);
    for (int i = 0; i < N; i++) require(matrix[i * N] == left);
    for (int i = 0; i < 5; i++) require(all.before[i] == i && all.after[i] == i);
    MPI_Type_free(&column);
    free(matrix);
    free(text);
    MPI_Finalize();
    return 0;
}
