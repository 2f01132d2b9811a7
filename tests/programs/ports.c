// The even ranks open a port, the odd ones connect to it; then both go apart again.
// needs: MPI_Open_port
// expect: nothing
#include "require.h"

int main(int argc, char **argv) {
    char port[MPI_MAX_PORT_NAME] = "";
    int rank, got = -1;
    MPI_Comm half, across;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &half);
    if (rank == 0) {
        MPI_Open_port(MPI_INFO_NULL, port);
        MPI_Send(port, MPI_MAX_PORT_NAME, MPI_CHAR, 1, 0, MPI_COMM_WORLD);
    }
    if (rank == 1)
        MPI_Recv(port, MPI_MAX_PORT_NAME, MPI_CHAR, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (rank % 2)
        MPI_Comm_connect(port, MPI_INFO_NULL, 0, half, &across);
    else
        MPI_Comm_accept(port, MPI_INFO_NULL, 0, half, &across);
    MPI_Sendrecv(&rank, 1, MPI_INT, rank / 2, 3, &got, 1, MPI_INT, rank / 2, 3, across, MPI_STATUS_IGNORE);
    require(got == (rank ^ 1));
    MPI_Barrier(across);
    MPI_Comm_disconnect(&across);
    if (rank == 0) {
        MPI_Close_port(port);
        puts("met at the port");
    }
    MPI_Comm_free(&half);
    MPI_Finalize();
    return 0;
}
