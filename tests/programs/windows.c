// Windows of every flavour, and every way to access and to synchronise them: all of it right.
// expect: nothing
#include "require.h"

static int rank, size, left, right;

/// Fences, and the accesses that they hold together.
static void fences(void) {
    int memory[4] = {rank, 0, 0, 0}, got = -1, one = 1;
    MPI_Win window;
    MPI_Win_create(memory, sizeof memory, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    MPI_Win_fence(MPI_MODE_NOPRECEDE, window);
    MPI_Put(&rank, 1, MPI_INT, right, 1, 1, MPI_INT, window);
    MPI_Get(&got, 1, MPI_INT, right, 0, 1, MPI_INT, window);
    MPI_Accumulate(&one, 1, MPI_INT, 0, 2, 1, MPI_INT, MPI_SUM, window);
    MPI_Put(&one, 1, MPI_INT, MPI_PROC_NULL, 0, 1, MPI_INT, window);
    MPI_Win_fence(0, window);
    require(got == right && memory[1] == left && (rank != 0 || memory[2] == size));
    MPI_Win_fence(MPI_MODE_NOSUCCEED, window);
    MPI_Win_free(&window);
}

/// Post, start, complete and wait, of some of the ranks.
static void posts(void) {
    int *memory, mine = 100 + rank, flag = 0;
    MPI_Win window;
    MPI_Group all, to, from;
    MPI_Win_allocate(4 * sizeof(int), sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &memory, &window);
    MPI_Win_get_group(window, &all);
    MPI_Group_incl(all, 1, &right, &to);
    MPI_Group_incl(all, 1, &left, &from);
    for (int step = 0; step < 3; step++) {
        MPI_Win_post(from, 0, window);
        MPI_Win_start(to, 0, window);
        MPI_Put(&mine, 1, MPI_INT, right, step, 1, MPI_INT, window);
        MPI_Win_complete(window);
        if (step < 2)
            MPI_Win_wait(window);
        else
            while (!flag)
                MPI_Win_test(window, &flag);
        require(memory[step] == 100 + left);
    }
    MPI_Group_free(&from);
    MPI_Group_free(&to);
    MPI_Group_free(&all);
    MPI_Win_free(&window);
}

/// Locks, and what is done atomically under them.
static void locks(void) {
    long *memory, one = 1, old, sums[2] = {10, 20}, before[2];
    MPI_Win window;
    MPI_Win_allocate(4 * sizeof(long), sizeof(long), MPI_INFO_NULL, MPI_COMM_WORLD, &memory, &window);
    MPI_Win_lock(MPI_LOCK_EXCLUSIVE, rank, 0, window);
    for (int i = 0; i < 4; i++)
        memory[i] = 0;
    MPI_Win_unlock(rank, window);
    MPI_Barrier(MPI_COMM_WORLD);
    for (int i = 0; i < 5; i++) {
        MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, window);
        MPI_Get(&old, 1, MPI_LONG, 0, 0, 1, MPI_LONG, window);
        MPI_Win_flush(0, window);
        old++;
        MPI_Put(&old, 1, MPI_LONG, 0, 0, 1, MPI_LONG, window);
        MPI_Win_unlock(0, window);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Win_lock_all(0, window);
    MPI_Fetch_and_op(&one, &old, MPI_LONG, 0, 1, MPI_SUM, window);
    MPI_Win_flush_local(0, window);
    require(old >= 0 && old < size);
    MPI_Get_accumulate(sums, 2, MPI_LONG, before, 2, MPI_LONG, 0, 2, 2, MPI_LONG, MPI_NO_OP, window);
    MPI_Win_flush_all(window);
    MPI_Win_flush_local_all(window);
    MPI_Win_sync(window);
    MPI_Win_unlock_all(window);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, window);
    MPI_Get(&old, 1, MPI_LONG, 0, 0, 1, MPI_LONG, window);
    MPI_Win_unlock(0, window);
    require(old == 5 * size);
    MPI_Win_free(&window);
}

/// Accesses with a request.
static void requests(void) {
    int *memory, mine = rank, got, one = 1, none = 0, before;
    MPI_Request request[2];
    MPI_Win window;
    MPI_Win_allocate(4 * sizeof(int), sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &memory, &window);
    memory[0] = memory[1] = memory[2] = memory[3] = 0;
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Win_lock_all(MPI_MODE_NOCHECK, window);
    MPI_Rput(&mine, 1, MPI_INT, right, 0, 1, MPI_INT, window, &request[0]);
    MPI_Raccumulate(&one, 1, MPI_INT, 0, 1, 1, MPI_INT, MPI_SUM, window, &request[1]);
    MPI_Waitall(2, request, MPI_STATUSES_IGNORE);
    MPI_Win_flush_all(window);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Rget(&got, 1, MPI_INT, right, 0, 1, MPI_INT, window, &request[0]);
    MPI_Rget_accumulate(&one, 1, MPI_INT, &before, 1, MPI_INT, 0, 2, 1, MPI_INT, MPI_SUM, window, &request[1]);
    MPI_Waitall(2, request, MPI_STATUSES_IGNORE);
    MPI_Compare_and_swap(&one, &none, &before, MPI_INT, right, 3, window);
    MPI_Win_unlock_all(window);
    require(got == rank && before == 0);
    MPI_Win_free(&window);
}

/// Memory that ranks of one host share.
static void shared(void) {
    int *memory, *theirs, unit;
    MPI_Aint bytes;
    MPI_Comm host;
    MPI_Win window;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host);
    MPI_Win_allocate_shared(2 * sizeof(int), sizeof(int), MPI_INFO_NULL, host, &memory, &window);
    MPI_Win_fence(0, window);
    memory[0] = rank;
    MPI_Win_fence(0, window);
    MPI_Win_shared_query(window, 0, &bytes, &unit, &theirs);
    require(bytes == 2 * sizeof(int) && unit == sizeof(int) && theirs != NULL);
    MPI_Win_fence(0, window);
    MPI_Win_free(&window);
    MPI_Comm_free(&host);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    left = (rank + size - 1) % size;
    right = (rank + 1) % size;
    fences();
    posts();
    locks();
    requests();
    shared();
    if (rank == 0)
        puts("windows of every flavour");
    MPI_Finalize();
    return 0;
}
