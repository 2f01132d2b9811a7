// Jacobi iteration on a ring of strips: halo exchange by Irecv, Isend and Waitall on a Cartesian communicator.
// expect: nothing
#include "require.h"

enum { CELLS = 1000, STEPS = 50 };

static void exchange(double *strip, int left, int right, MPI_Comm line) {
    MPI_Request requests[4];
    MPI_Irecv(&strip[0], 1, MPI_DOUBLE, left, 0, line, &requests[0]);
    MPI_Irecv(&strip[CELLS + 1], 1, MPI_DOUBLE, right, 1, line, &requests[1]);
    MPI_Isend(&strip[CELLS], 1, MPI_DOUBLE, right, 0, line, &requests[2]);
    MPI_Isend(&strip[1], 1, MPI_DOUBLE, left, 1, line, &requests[3]);
    MPI_Waitall(4, requests, MPI_STATUSES_IGNORE);
}

int main(int argc, char **argv) {
    static double strip[CELLS + 2], next[CELLS + 2];
    int rank, size, left, right, dims[1] = {0}, periods[1] = {1};
    MPI_Comm line;
    MPI_Init(&argc, &argv);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Dims_create(size, 1, dims);
    MPI_Cart_create(MPI_COMM_WORLD, 1, dims, periods, 1, &line);
    MPI_Comm_rank(line, &rank);
    MPI_Cart_shift(line, 0, 1, &left, &right);
    for (int i = 1; i <= CELLS; i++)
        strip[i] = rank * CELLS + i;
    for (int step = 0; step < STEPS; step++) {
        exchange(strip, left, right, line);
        for (int i = 1; i <= CELLS; i++)
            next[i] = (strip[i - 1] + strip[i] + strip[i + 1]) / 3;
        for (int i = 1; i <= CELLS; i++)
            strip[i] = next[i];
    }
    double sum = 0, total, cells = (double)CELLS * size;
    for (int i = 1; i <= CELLS; i++)
        sum += strip[i];
    MPI_Allreduce(&sum, &total, 1, MPI_DOUBLE, MPI_SUM, line);
    require(total > cells * (cells + 1) / 2 - 1 && total < cells * (cells + 1) / 2 + 1);
    if (rank == 0)
        printf("total %.0f after %d steps\n", total, STEPS);
    MPI_Comm_free(&line);
    MPI_Finalize();
    return 0;
}
