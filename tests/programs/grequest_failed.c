// Waiting for a generalized request fails, for its callback says so, and the request is gone all the same: its handle, which may come
// again, means the next request.
// expect: nothing
// expect: every call explained
#include "require.h"

static int query(void *state, MPI_Status *status) {
    MPI_Status_set_elements(status, MPI_BYTE, 0);
    MPI_Status_set_cancelled(status, 0);
    return *(int *)state;
}

static int release(void *state) {
    (void)state;
    return MPI_SUCCESS;
}

static int cancel(void *state, int complete) {
    (void)state, (void)complete;
    return MPI_SUCCESS;
}

int main(int argc, char **argv) {
    int rank, size, code = MPI_ERR_OTHER, mine = 1, theirs;
    MPI_Request general, requests[2], copies[2];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
    for (int round = 0; round < 3; round++) {
        MPI_Grequest_start(query, release, cancel, &code, &general);
        MPI_Grequest_complete(general);
        MPI_Wait(&general, MPI_STATUS_IGNORE);
        MPI_Send_init(&mine, 1, MPI_INT, (rank + 1) % size, 0, MPI_COMM_WORLD, &requests[0]);
        MPI_Recv_init(&theirs, 1, MPI_INT, (rank + size - 1) % size, 0, MPI_COMM_WORLD, &requests[1]);
        copies[0] = requests[0], copies[1] = requests[1];
        MPI_Startall(2, copies);
        MPI_Waitall(2, copies, MPI_STATUSES_IGNORE);
        MPI_Request_free(&requests[0]);
        MPI_Request_free(&requests[1]);
    }
    MPI_Finalize();
    return 0;
}
