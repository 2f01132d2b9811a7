// Each rank starts a receive a second time while it is under way; the library returns an error, or does something else.
// expect: error request/started-twice
// ends: anyhow
#include "require.h"

int main(int argc, char** argv) {
    int rank, x = 0, got;
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Send_init(&x, 1, MPI_INT, rank, 0, MPI_COMM_WORLD, &request);
    MPI_Start(&request);
    MPI_Start(&request);  // <- request/started-twice
    MPI_Recv(&got, 1, MPI_INT, rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Request_free(&request);
    MPI_Finalize();
    return 0;
}
