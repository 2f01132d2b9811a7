// The program of the picture in the README: heat along a rod, cut into pieces, whose ends are exchanged in each step. In the last
// step rank 2 sends to the left with another tag than rank 1 waits for. The picture was made, on four cores or fewer, by
//
//     mpicc -g heat.c -o heat && mpiexec -n 4 mpitrace record -o heat.msgpack ./heat      # and Ctrl-C, as it hangs
//     mpitrace tui viewer heat.msgpack --size 124x34 --keys '++<Right><Right><Right>' --svg viewer.svg
#include <mpi.h>
#include <unistd.h>

enum { CELLS = 512, STEPS = 4, LEFT = 7, RIGHT = 8 };

static void compute(int rank, int step) {
    usleep(1500 + 700 * ((rank * 5 + step * 3) % 4));
}

int main(int argc, char **argv) {
    static double mine[CELLS], left[CELLS], right[CELLS];
    double change = 1, most;
    int rank, size;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int before = rank > 0 ? rank - 1 : MPI_PROC_NULL, after = rank < size - 1 ? rank + 1 : MPI_PROC_NULL;
    MPI_Barrier(MPI_COMM_WORLD);
    for (int step = 1; step <= STEPS; step++) {
        MPI_Request requests[4];
        int wrong = rank == 2 && step == STEPS;
        compute(rank, step);
        MPI_Irecv(left, CELLS, MPI_DOUBLE, before, RIGHT, MPI_COMM_WORLD, &requests[0]);
        MPI_Irecv(right, CELLS, MPI_DOUBLE, after, LEFT, MPI_COMM_WORLD, &requests[1]);
        MPI_Isend(mine, CELLS, MPI_DOUBLE, before, wrong ? RIGHT : LEFT, MPI_COMM_WORLD, &requests[2]);
        usleep(300);
        MPI_Isend(mine, CELLS, MPI_DOUBLE, after, RIGHT, MPI_COMM_WORLD, &requests[3]);
        MPI_Waitall(4, requests, MPI_STATUSES_IGNORE);
        compute(rank, step + 1);
        MPI_Allreduce(&change, &most, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
