// Receives data in every way that there is, and writes down what it got: the number of bytes, and a digest of them. What a trace keeps is
// compared with it.
// expect: nothing
#include <stdint.h>
#include <string.h>
#include "require.h"

#define LARGE 700000

/* Old libraries of MPICH take it for an error to pack from MPI_BOTTOM: then nothing is kept of what lies there. */
#if defined(MPICH_NUMVERSION) && MPICH_NUMVERSION < 40100000
#define PACKS_FROM_BOTTOM 0
#else
#define PACKS_FROM_BOTTOM 1
#endif

static FILE* notes;

/* A part of what was received. */
typedef struct {
    uint64_t digest;
    size_t bytes;
} Got;

static void add(Got* got, const void* data, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) got->digest = (got->digest ^ ((const unsigned char*)data)[i]) * 1099511628211u;
    got->bytes += bytes;
}

static Got nothing(void) { return (Got){14695981039346656037u, 0}; }

static void note(Got got) { fprintf(notes, "%zu %016llx\n", got.bytes, (unsigned long long)got.digest); }

static void got(const void* data, size_t bytes) {
    Got one = nothing();
    add(&one, data, bytes);
    note(one);
}

static int rank, size;

static void messages(void) {
    int x[8], y[16], next = (rank + 1) % size, before = (rank + size - 1) % size;
    MPI_Request requests[2];
    MPI_Message message;
    MPI_Status status;
    MPI_Datatype pairs;
    for (int i = 0; i < 8; i++) x[i] = 100 * rank + i;
    MPI_Sendrecv(x, 3, MPI_INT, next, 0, y, 16, MPI_INT, before, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    got(y, 3 * sizeof(int));
    MPI_Sendrecv_replace(x, 8, MPI_INT, next, 0, before, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    got(x, sizeof x);
    MPI_Irecv(y, 16, MPI_INT, MPI_ANY_SOURCE, 1, MPI_COMM_WORLD, &requests[0]);
    MPI_Isend(x, 5, MPI_INT, next, 1, MPI_COMM_WORLD, &requests[1]);
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    got(y, 5 * sizeof(int));
    MPI_Isend(x, 2, MPI_INT, next, 2, MPI_COMM_WORLD, &requests[0]);
    MPI_Mprobe(before, 2, MPI_COMM_WORLD, &message, &status);
    MPI_Mrecv(y, 2, MPI_INT, &message, MPI_STATUS_IGNORE);
    got(y, 2 * sizeof(int));
    MPI_Wait(&requests[0], MPI_STATUS_IGNORE);

    MPI_Type_vector(4, 2, 4, MPI_INT, &pairs);
    MPI_Type_commit(&pairs);
    memset(y, -1, sizeof y);
    MPI_Irecv(y, 1, pairs, before, 3, MPI_COMM_WORLD, &requests[0]);
    MPI_Send(x, 8, MPI_INT, next, 3, MPI_COMM_WORLD);
    MPI_Wait(&requests[0], MPI_STATUS_IGNORE);
    Got packed = nothing();
    for (int i = 0; i < 4; i++) add(&packed, &y[4 * i], 2 * sizeof(int));
    note(packed);
    MPI_Type_free(&pairs);

    /* A datatype may say where the data lies, all of it. */
    int lengths[2] = {3, 2};
    MPI_Aint places[2];
    MPI_Datatype anywhere;
    MPI_Get_address(&y[1], &places[0]);
    MPI_Get_address(&y[9], &places[1]);
    MPI_Type_create_hindexed(2, lengths, places, MPI_INT, &anywhere);
    MPI_Type_commit(&anywhere);
    MPI_Irecv(MPI_BOTTOM, 1, anywhere, before, 5, MPI_COMM_WORLD, &requests[0]);
    MPI_Send(x, 5, MPI_INT, next, 5, MPI_COMM_WORLD);
    MPI_Wait(&requests[0], MPI_STATUS_IGNORE);
    packed = nothing();
    add(&packed, &y[1], 3 * sizeof(int));
    add(&packed, &y[9], 2 * sizeof(int));
    if (PACKS_FROM_BOTTOM) note(packed);
    MPI_Sendrecv(x, 4, MPI_INT, next, 6, MPI_BOTTOM, 1, anywhere, before, 6, MPI_COMM_WORLD, &status);
    packed = nothing();
    add(&packed, &y[1], 3 * sizeof(int));
    add(&packed, &y[9], sizeof(int));
    if (PACKS_FROM_BOTTOM) note(packed);
    MPI_Type_free(&anywhere);

    /* What is cancelled has received nothing. */
    MPI_Irecv(y, 4, MPI_INT, before, 7, MPI_COMM_WORLD, &requests[0]);
    MPI_Cancel(&requests[0]);
    MPI_Wait(&requests[0], MPI_STATUS_IGNORE);
    MPI_Recv(y, 4, MPI_INT, MPI_PROC_NULL, 8, MPI_COMM_WORLD, MPI_STATUS_IGNORE);

    MPI_Recv_init(y, 4, MPI_INT, before, 4, MPI_COMM_WORLD, &requests[0]);
    MPI_Send_init(x, 4, MPI_INT, next, 4, MPI_COMM_WORLD, &requests[1]);
    for (int round = 0; round < 2; round++) {
        x[0] = round;
        MPI_Startall(2, requests);
        MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
        got(y, 4 * sizeof(int));
    }
    MPI_Request_free(&requests[0]);
    MPI_Request_free(&requests[1]);
}

static void collectives(void) {
    int x[64], y[64], counts[16], displacements[16], total = 0;
    double* large = malloc(LARGE * sizeof(double));
    MPI_Request request;
    for (int i = 0; i < 64; i++) x[i] = 1000 * rank + i;
    MPI_Bcast(x, 4, MPI_INT, 1, MPI_COMM_WORLD);
    if (rank != 1) got(x, 4 * sizeof(int));
    for (int i = 0; i < LARGE; i++) large[i] = i * (rank == 0);
    MPI_Bcast(large, LARGE, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    if (rank != 0) got(large, LARGE * sizeof(double));
    free(large);
    MPI_Gather(x, 2, MPI_INT, y, 2, MPI_INT, 0, MPI_COMM_WORLD);
    if (rank == 0) got(y, 2 * size * sizeof(int));
    MPI_Scatter(x, 2, MPI_INT, y, 2, MPI_INT, 0, MPI_COMM_WORLD);
    got(y, 2 * sizeof(int));
    MPI_Allgather(x, 2, MPI_INT, y, 2, MPI_INT, MPI_COMM_WORLD);
    got(y, 2 * size * sizeof(int));
    MPI_Alltoall(x, 2, MPI_INT, y, 2, MPI_INT, MPI_COMM_WORLD);
    got(y, 2 * size * sizeof(int));
    MPI_Allreduce(x, y, 3, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    got(y, 3 * sizeof(int));
    MPI_Allreduce(MPI_IN_PLACE, x, 3, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    got(x, 3 * sizeof(int));
    MPI_Reduce(x, y, 3, MPI_INT, MPI_MAX, 2, MPI_COMM_WORLD);
    if (rank == 2) got(y, 3 * sizeof(int));
    MPI_Exscan(x, y, 3, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    if (rank != 0) got(y, 3 * sizeof(int));
    MPI_Reduce_scatter_block(x, y, 2, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    got(y, 2 * sizeof(int));

    for (int i = 0; i < size; i++) {
        counts[i] = i + 1;
        displacements[i] = 2 * total;
        total += counts[i];
    }
    Got blocks = nothing();
    MPI_Allgatherv(x, rank + 1, MPI_INT, y, counts, displacements, MPI_INT, MPI_COMM_WORLD);
    for (int i = 0; i < size; i++) add(&blocks, &y[displacements[i]], counts[i] * sizeof(int));
    note(blocks);
    MPI_Iallreduce(x, y, 5, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    got(y, 5 * sizeof(int));
    MPI_Iallgatherv(x, rank + 1, MPI_INT, y, counts, displacements, MPI_INT, MPI_COMM_WORLD, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    blocks = nothing();
    for (int i = 0; i < size; i++) add(&blocks, &y[displacements[i]], counts[i] * sizeof(int));
    note(blocks);
    MPI_Reduce_scatter(x, y, counts, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    got(y, counts[rank] * sizeof(int));
}

static void one_sided(void) {
    int memory[4] = {rank, rank + 10, rank + 20, rank + 30}, x[2] = {0, 0}, y = 0, z = 0, one = 1, next = (rank + 1) % size;
    MPI_Win window;
    MPI_Request request;
    MPI_Win_create(memory, sizeof memory, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    MPI_Win_fence(0, window);
    MPI_Get(x, 2, MPI_INT, next, 0, 2, MPI_INT, window);
    MPI_Get(&y, 1, MPI_INT, rank, 3, 1, MPI_INT, window);
    MPI_Win_fence(0, window);
    got(x, sizeof x);
    got(&y, sizeof y);
    MPI_Win_lock_all(0, window);
    MPI_Rget(x, 2, MPI_INT, next, 2, 2, MPI_INT, window, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    got(x, sizeof x);
    MPI_Fetch_and_op(&one, &y, MPI_INT, next, 0, MPI_SUM, window);
    MPI_Compare_and_swap(&one, &one, &z, MPI_INT, rank, 1, window);
    MPI_Win_flush(next, window);
    got(&y, sizeof y);
    MPI_Win_unlock_all(window);
    got(&z, sizeof z);
    MPI_Win_free(&window);
}

static void files(void) {
    int x[10], y[20];
    MPI_File file;
    MPI_Request request;
    for (int i = 0; i < 10; i++) x[i] = 7 * rank + i;
    MPI_File_open(MPI_COMM_WORLD, "numbers", MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL, &file);
    MPI_File_write_at_all(file, rank * sizeof x, x, 10, MPI_INT, MPI_STATUS_IGNORE);
    MPI_File_sync(file);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_File_read_at_all(file, 0, y, 5, MPI_INT, MPI_STATUS_IGNORE);
    got(y, 5 * sizeof(int));
    /* The file ends before the buffer does. Of collective reads some libraries say that they read on. */
    MPI_File_read_at(file, (size - 1) * sizeof x, y, 20, MPI_INT, MPI_STATUS_IGNORE);
    got(y, 10 * sizeof(int));
    MPI_File_iread_at(file, rank * sizeof x, y, 10, MPI_INT, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    got(y, 10 * sizeof(int));
    MPI_File_read_at_all_begin(file, 4, y, 3, MPI_INT);
    MPI_File_read_at_all_end(file, y, MPI_STATUS_IGNORE);
    got(y, 3 * sizeof(int));
    MPI_File_close(&file);
}

int main(int argc, char** argv) {
    char name[32];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    snprintf(name, sizeof name, "received-%d", rank);
    notes = fopen(name, "w");
    require(notes != NULL);
    messages();
    collectives();
    one_sided();
    files();
    fclose(notes);
    MPI_Finalize();
    return 0;
}
