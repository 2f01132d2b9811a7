// Accesses to the same window that are apart: in place, in time, or by their kind.
// expect: nothing
#include "require.h"

enum { N = 4 };

static MPI_Win window;
static int rank, size, memory[N * N + 8];

// Each rank puts a column of its own into rank 0's matrix, and all add to one number.
static void fences(void) {
    int values[N] = {rank, rank, rank, rank}, one = 1;
    MPI_Datatype column;
    MPI_Type_vector(N, 1, N, MPI_INT, &column);
    MPI_Type_commit(&column);
    MPI_Win_fence(0, window);
    if (rank < N)
        MPI_Put(values, N, MPI_INT, 0, rank, 1, column, window);
    MPI_Accumulate(&one, 1, MPI_INT, 0, N * N, 1, MPI_INT, MPI_SUM, window);
    MPI_Win_fence(0, window);
    // What was put before the fence is read after it.
    MPI_Get(values, N, MPI_INT, 0, 0, N, MPI_INT, window);
    MPI_Win_fence(MPI_MODE_NOSUCCEED, window);
    MPI_Type_free(&column);
}

// Rank 0 lets one rank after the other at its memory.
static void posts(void) {
    MPI_Group all, some;
    MPI_Comm_group(MPI_COMM_WORLD, &all);
    if (rank == 0) {
        for (int other = 1; other < size; other++) {
            MPI_Group_incl(all, 1, &other, &some);
            MPI_Win_post(some, 0, window);
            MPI_Win_wait(window);
            MPI_Group_free(&some);
            MPI_Sendrecv(memory, 1, MPI_INT, 0, 9, &memory[1], 1, MPI_INT, 0, 9, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        }
    } else {
        MPI_Group_incl(all, 1, (int[]){0}, &some);
        MPI_Win_start(some, 0, window);
        MPI_Put(&rank, 1, MPI_INT, 0, 0, 1, MPI_INT, window);
        MPI_Win_complete(window);
        MPI_Group_free(&some);
    }
    MPI_Group_free(&all);
}

// One rank after the other by a message, and all in any order by an exclusive lock.
static void locks(void) {
    int got, token = 0;
    if (rank > 0)
        MPI_Recv(&token, 1, MPI_INT, rank - 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, window);
    MPI_Put(&rank, 1, MPI_INT, 0, 2, 1, MPI_INT, window);
    MPI_Win_flush(0, window);
    MPI_Get(&got, 1, MPI_INT, 0, 2, 1, MPI_INT, window);
    MPI_Win_unlock(0, window);
    require(got == rank);
    if (rank + 1 < size)
        MPI_Send(&token, 1, MPI_INT, rank + 1, 0, MPI_COMM_WORLD);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, window);
    MPI_Put(&rank, 1, MPI_INT, 0, 3, 1, MPI_INT, window);
    MPI_Win_unlock(0, window);
    MPI_Barrier(MPI_COMM_WORLD);
}

// Rank 1 puts, and raises a flag in the window; the others look for it and read.
static void flag(void) {
    int one = 1, up = 0, got = 0, nothing = 0, was;
    MPI_Win_lock_all(0, window);
    if (rank == 1) {
        MPI_Put(&one, 1, MPI_INT, 0, N * N + 1, 1, MPI_INT, window);
        MPI_Win_flush(0, window);
        MPI_Fetch_and_op(&one, &was, MPI_INT, 0, N * N + 2, MPI_REPLACE, window);
        MPI_Win_flush(0, window);
    } else {
        while (!up) {
            MPI_Fetch_and_op(&nothing, &up, MPI_INT, 0, N * N + 2, MPI_NO_OP, window);
            MPI_Win_flush(0, window);
        }
        MPI_Get(&got, 1, MPI_INT, 0, N * N + 1, 1, MPI_INT, window);
        MPI_Win_flush(0, window);
        require(got == 1);
    }
    MPI_Win_unlock_all(window);
    MPI_Barrier(MPI_COMM_WORLD);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Win_create(memory, sizeof memory, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    fences();
    posts();
    locks();
    flag();
    MPI_Win_free(&window);
    MPI_Finalize();
    return 0;
}
