// In each step the owner of a row sends it to all others, who take it from anybody. A row may come before the one that it builds on, but
// each rank gets as many rows as it takes: no schedule gets stuck.
// expect: note race/wildcard
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, sum = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    for (int owner = 0; owner < size; owner++) {
        int row = owner;
        if (rank == owner) {
            for (int other = 0; other < size; other++)
                if (other != owner)
                    MPI_Send(&row, 1, MPI_INT, other, 0, MPI_COMM_WORLD);
        } else {
            MPI_Recv(&row, 1, MPI_INT, MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE); // <- race/wildcard
        }
        sum += row;
    }
    require(sum == size * (size - 1) / 2);
    MPI_Finalize();
    return 0;
}
