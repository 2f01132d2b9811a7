// MPI_IN_PLACE wherever the standard allows it.
// expect: nothing
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, values[64], value;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);

    value = rank;
    MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    require(value == size * (size - 1) / 2);

    value = rank;
    if (rank == 1)
        MPI_Reduce(MPI_IN_PLACE, &value, 1, MPI_INT, MPI_MAX, 1, MPI_COMM_WORLD);
    else
        MPI_Reduce(&value, NULL, 1, MPI_INT, MPI_MAX, 1, MPI_COMM_WORLD);
    require(rank != 1 || value == size - 1);

    values[rank] = rank;
    MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, values, 1, MPI_INT, MPI_COMM_WORLD);
    require(values[size - 1] == size - 1);

    if (rank == 0)
        MPI_Gather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, values, 1, MPI_INT, 0, MPI_COMM_WORLD);
    else
        MPI_Gather(&rank, 1, MPI_INT, NULL, 0, MPI_DATATYPE_NULL, 0, MPI_COMM_WORLD);
    if (rank == 0)
        MPI_Scatter(values, 1, MPI_INT, MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, 0, MPI_COMM_WORLD);
    else
        MPI_Scatter(NULL, 0, MPI_DATATYPE_NULL, &value, 1, MPI_INT, 0, MPI_COMM_WORLD);
    require(rank == 0 || value == rank);

    for (int i = 0; i < size; i++)
        values[i] = 10 * rank + i;
    MPI_Alltoall(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, values, 1, MPI_INT, MPI_COMM_WORLD);
    require(values[1] == 10 + rank);

    value = rank;
    MPI_Scan(MPI_IN_PLACE, &value, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    require(value == rank * (rank + 1) / 2);
    if (rank == 0)
        puts("in place");
    MPI_Finalize();
    return 0;
}
