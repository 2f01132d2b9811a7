// A group is made of another one, and only the first is freed.
// expect: warning leak/group
#include <mpi.h>

int main(int argc, char **argv) {
    MPI_Group group, rest;
    MPI_Init(&argc, &argv);
    MPI_Comm_group(MPI_COMM_WORLD, &group);
    MPI_Group_excl(group, 1, (int[]){0}, &rest); // <- leak/group
    MPI_Group_free(&group);
    MPI_Finalize();
    return 0;
}
