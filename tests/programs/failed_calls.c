// Every rank asks for errors to be returned, makes calls with wrong arguments, and goes on.
// expect: nothing
#include "require.h"

int main(int argc, char** argv) {
    int rank, size, x, y = 0;
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    int to = (rank + 1) % size, from = (rank + size - 1) % size;
    x = rank;
    require(MPI_Send(&x, 1, MPI_INT, 99, 0, MPI_COMM_WORLD) != MPI_SUCCESS);
    require(MPI_Send(&x, -1, MPI_INT, to, 0, MPI_COMM_WORLD) != MPI_SUCCESS);
    require(MPI_Recv(&y, 1, MPI_DATATYPE_NULL, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE) != MPI_SUCCESS);
    require(MPI_Recv(&y, -1, MPI_INT, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE) != MPI_SUCCESS);
    require(MPI_Irecv(&y, 1, MPI_INT, 99, 0, MPI_COMM_WORLD, &request) != MPI_SUCCESS);
    require(MPI_Sendrecv(&x, 1, MPI_INT, 99, 0, &y, 1, MPI_INT, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE) != MPI_SUCCESS);
    MPI_Sendrecv(&x, 1, MPI_INT, to, 0, &y, 1, MPI_INT, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    require(y == from);
    MPI_Finalize();
    return 0;
}
