// Neighbourhood collectives on every kind of topology: a grid with borders and a part of it, a graph, a distributed graph that each rank tells
// a part of, and duplicates, with the vector and the nonblocking forms.
// expect: nothing
#include "require.h"

static int rank, size;

static void on_grid(void) {
    int dims[2] = {0, 0}, periods[2] = {0, 0}, keep[2] = {1, 0}, from[4] = {-1, -1, -1, -1}, up, down, left, right;
    MPI_Comm grid, column;
    MPI_Request request;
    MPI_Dims_create(size, 2, dims);
    MPI_Cart_create(MPI_COMM_WORLD, 2, dims, periods, 0, &grid);
    MPI_Ineighbor_allgather(&rank, 1, MPI_INT, from, 1, MPI_INT, grid, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Cart_shift(grid, 0, 1, &up, &down);
    MPI_Cart_shift(grid, 1, 1, &left, &right);
    require((up == MPI_PROC_NULL || from[0] == up) && (down == MPI_PROC_NULL || from[1] == down));
    require((left == MPI_PROC_NULL || from[2] == left) && (right == MPI_PROC_NULL || from[3] == right));
    MPI_Cart_sub(grid, keep, &column);
    MPI_Neighbor_alltoall(from, 1, MPI_INT, from + 2, 1, MPI_INT, column);
    MPI_Comm_free(&column);
    MPI_Comm_free(&grid);
}

// Rank 0 in the middle of a star.
static void on_graph(void) {
    int index[64], edges[128], from[64];
    MPI_Comm star, copy;
    require(size <= 64);
    for (int i = 1; i < size; i++) {
        edges[i - 1] = i;
        edges[size - 2 + i] = 0;
        index[i] = size - 1 + i;
    }
    index[0] = size - 1;
    MPI_Graph_create(MPI_COMM_WORLD, size, index, edges, 0, &star);
    MPI_Comm_dup(star, &copy);
    MPI_Neighbor_allgather(&rank, 1, MPI_INT, from, 1, MPI_INT, copy);
    require(from[0] == (rank == 0 ? 1 : 0));
    MPI_Comm_free(&copy);
    MPI_Comm_free(&star);
}

// Rank 0 tells it all: a chain, in which nobody sends to the first.
static void on_distributed_graph(void) {
    int sources[64], degrees[64], destinations[64], mine[2] = {rank, rank}, got[2] = {-1, -1}, one = 2, none = 0;
    MPI_Comm chain;
    for (int i = 0; i + 1 < size; i++) {
        sources[i] = i;
        degrees[i] = 1;
        destinations[i] = i + 1;
    }
    MPI_Dist_graph_create(MPI_COMM_WORLD, rank == 0 ? size - 1 : 0, sources, degrees, destinations, MPI_UNWEIGHTED,
                          MPI_INFO_NULL, 0, &chain);
    MPI_Neighbor_alltoallv(mine, &one, &none, MPI_INT, got, &one, &none, MPI_INT, chain);
    require(got[1] == rank - 1);
    MPI_Comm_free(&chain);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    on_grid();
    on_graph();
    on_distributed_graph();
    if (rank == 0)
        puts("neighbours met");
    MPI_Finalize();
    return 0;
}
