// Ranks 0 and 1 make a communicator of a socket between them.
// needs: MPI_Comm_join
// expect: nothing
#define _DEFAULT_SOURCE
#include "require.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

// The end of a connection between the two ranks on this machine.
static int connection(int rank) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int end = socket(AF_INET, SOCK_STREAM, 0);
    if (rank == 0) {
        int listening = end;
        require(bind(listening, (struct sockaddr *)&address, sizeof address) == 0 && listen(listening, 1) == 0);
        require(getsockname(listening, (struct sockaddr *)&address, &length) == 0);
        MPI_Send(&address.sin_port, 2, MPI_BYTE, 1, 0, MPI_COMM_WORLD);
        end = accept(listening, NULL, NULL);
        close(listening);
    } else {
        MPI_Recv(&address.sin_port, 2, MPI_BYTE, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        require(connect(end, (struct sockaddr *)&address, sizeof address) == 0);
    }
    require(end >= 0);
    return end;
}

int main(int argc, char **argv) {
    int rank, got = -1;
    MPI_Comm across;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank < 2) {
        int end = connection(rank);
        MPI_Comm_join(end, &across);
        MPI_Sendrecv(&rank, 1, MPI_INT, 0, 5, &got, 1, MPI_INT, 0, 5, across, MPI_STATUS_IGNORE);
        require(got == 1 - rank);
        MPI_Comm_disconnect(&across);
        close(end);
    }
    if (rank == 0)
        puts("joined");
    MPI_Finalize();
    return 0;
}
