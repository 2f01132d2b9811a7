// Parts of a matrix are put and got by datatypes with holes, up to the last byte of the window.
// expect: nothing
#include "require.h"

#define N 8

int main(int argc, char **argv) {
    int rank, size, sizes[2] = {N, N}, part[2] = {N / 2, 2}, start[2] = {N / 2, N - 2};
    int processes[2] = {2, 2}, blocks[2] = {MPI_DISTRIBUTE_BLOCK, MPI_DISTRIBUTE_CYCLIC};
    int defaults[2] = {MPI_DISTRIBUTE_DFLT_DARG, MPI_DISTRIBUTE_DFLT_DARG};
    double *matrix, column[N], corner[N], share[N * N];
    struct {
        double value;
        int index;
    } pair = {1.5, 3}, pairs[2];
    MPI_Datatype columns, corners, shares;
    MPI_Win window, of_pairs;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    require(size == 4);
    MPI_Type_vector(N, 1, N, MPI_DOUBLE, &columns);
    MPI_Type_commit(&columns);
    MPI_Type_create_subarray(2, sizes, part, start, MPI_ORDER_C, MPI_DOUBLE, &corners);
    MPI_Type_commit(&corners);
    MPI_Type_create_darray(4, rank, 2, sizes, blocks, defaults, processes, MPI_ORDER_FORTRAN, MPI_DOUBLE, &shares);
    MPI_Type_commit(&shares);
    MPI_Win_allocate(N * N * sizeof(double), sizeof(double), MPI_INFO_NULL, MPI_COMM_WORLD, &matrix, &window);
    MPI_Win_create(pairs, sizeof pairs, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &of_pairs);
    for (int i = 0; i < N; i++)
        column[i] = rank;
    for (int i = 0; i < N * N; i++)
        matrix[i] = -1;
    MPI_Win_fence(0, window);
    MPI_Put(column, N, MPI_DOUBLE, (rank + 1) % size, N - 1, 1, columns, window);
    MPI_Win_fence(0, window);
    MPI_Get(corner, N, MPI_DOUBLE, rank, 0, 1, corners, window);
    MPI_Get(share, 1, shares, rank, 0, 1, shares, window);
    MPI_Win_fence(0, window);
    require(corner[1] == (rank + size - 1) % size && corner[0] == -1);
    MPI_Win_fence(0, of_pairs);
    if (rank > 0)
        MPI_Put(&pair, 1, MPI_DOUBLE_INT, rank - 1, sizeof pair, 1, MPI_DOUBLE_INT, of_pairs);
    MPI_Win_fence(0, of_pairs);
    require(rank == size - 1 || (pairs[1].value == 1.5 && pairs[1].index == 3));
    MPI_Win_free(&of_pairs);
    MPI_Win_free(&window);
    MPI_Type_free(&shares);
    MPI_Type_free(&corners);
    MPI_Type_free(&columns);
    MPI_Finalize();
    return 0;
}
