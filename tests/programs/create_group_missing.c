// Ranks 0 to 2 are to make a communicator of a group; rank 2 thinks that it is not in it.
// expect: error deadlock/missing-rank
// ends: hang
#include "require.h"

int main(int argc, char **argv) {
    int rank, members[3] = {0, 1, 2};
    MPI_Group all, part;
    MPI_Comm some;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_group(MPI_COMM_WORLD, &all);
    MPI_Group_incl(all, 3, members, &part);
    if (rank < 2) {
        MPI_Comm_create_group(MPI_COMM_WORLD, part, 3, &some);  // <- deadlock/missing-rank
        MPI_Comm_free(&some);
    }
    MPI_Group_free(&part);
    MPI_Group_free(&all);
    MPI_Finalize();
    return 0;
}
