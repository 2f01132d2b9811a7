// Buffered sends from a buffer of a communicator, flushed, at once and by request, before it is taken away.
// needs: MPI_Comm_attach_buffer
// expect: nothing
#include "require.h"

int main(int argc, char **argv) {
    static char room[4096];
    int rank, size, got[2], bytes;
    void *back;
    MPI_Comm own;
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_dup(MPI_COMM_WORLD, &own);
    MPI_Comm_attach_buffer(own, room, sizeof room);
    for (int i = 0; i < 2; i++)
        MPI_Bsend(&rank, 1, MPI_INT, (rank + 1) % size, i, own);
    for (int i = 0; i < 2; i++)
        MPI_Recv(&got[i], 1, MPI_INT, (rank + size - 1) % size, i, own, MPI_STATUS_IGNORE);
    MPI_Comm_iflush_buffer(own, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Comm_flush_buffer(own);
    MPI_Comm_detach_buffer(own, &back, &bytes);
    require(back == room && got[0] == got[1]);
    MPI_Comm_free(&own);
    if (rank == 0)
        puts("nothing is left in the buffer");
    MPI_Finalize();
    return 0;
}
