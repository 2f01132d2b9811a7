// Messages far above every eager limit, sent and received in a safe order, and one that is shorter than its receive allows.
// expect: nothing
#include "require.h"

enum { COUNT = 1 << 20 };
static int values[COUNT];

int main(int argc, char **argv) {
    int rank, size, count;
    MPI_Status status;
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0) {
        for (int i = 0; i < COUNT; i++)
            values[i] = i;
        for (int to = 1; to < size; to++)
            MPI_Send(values, COUNT / to, MPI_INT, to, 0, MPI_COMM_WORLD);
    } else {
        MPI_Irecv(values, COUNT, MPI_INT, 0, 0, MPI_COMM_WORLD, &request);
        MPI_Wait(&request, &status);
        MPI_Get_count(&status, MPI_INT, &count);
        require(count == COUNT / rank && values[count - 1] == count - 1);
    }
    MPI_Bcast(values, COUNT, MPI_INT, 0, MPI_COMM_WORLD);
    require(values[COUNT - 1] == COUNT - 1);
    if (rank == 0)
        puts("large");
    MPI_Finalize();
    return 0;
}
