// A Cartesian grid with a sub-grid, and neighbourhood collectives on it and on a distributed graph.
// expect: nothing
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, coords[2], dims[2] = {0, 0}, periods[2] = {0, 1}, keep[2] = {0, 1}, from[4], sum;
    MPI_Comm grid, row, graph;
    MPI_Init(&argc, &argv);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Dims_create(size, 2, dims);
    MPI_Cart_create(MPI_COMM_WORLD, 2, dims, periods, 0, &grid);
    MPI_Comm_rank(grid, &rank);
    MPI_Cart_coords(grid, rank, 2, coords);
    MPI_Neighbor_allgather(&rank, 1, MPI_INT, from, 1, MPI_INT, grid);
    MPI_Cart_sub(grid, keep, &row);
    MPI_Allreduce(&coords[1], &sum, 1, MPI_INT, MPI_SUM, row);
    require(sum == dims[1] * (dims[1] - 1) / 2);

    int left = (rank + size - 1) % size, right = (rank + 1) % size, got = -1;
    MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, 1, &left, MPI_UNWEIGHTED, 1, &right, MPI_UNWEIGHTED, MPI_INFO_NULL, 0,
                                   &graph);
    MPI_Neighbor_alltoall(&rank, 1, MPI_INT, &got, 1, MPI_INT, graph);
    require(got == left);
    if (rank == 0)
        puts("topologies");
    MPI_Comm_free(&graph);
    MPI_Comm_free(&row);
    MPI_Comm_free(&grid);
    MPI_Finalize();
    return 0;
}
