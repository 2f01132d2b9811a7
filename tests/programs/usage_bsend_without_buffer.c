// Rank 0 attaches a buffer of 8 bytes and sends 4000 with MPI_Bsend.
// expect: error usage/bsend-buffer
// ends: anyhow
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, x[1000] = {0};
    static char buffer[8 + MPI_BSEND_OVERHEAD];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        MPI_Buffer_attach(buffer, sizeof buffer);
        MPI_Bsend(x, 1000, MPI_INT, 1, 0, MPI_COMM_WORLD); // <- usage/bsend-buffer
    }
    if (rank == 1)
        MPI_Recv(x, 1000, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Finalize();
    return 0;
}
