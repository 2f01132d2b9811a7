// Rank 0 alone starts three processes with arguments of their own, in one world; they start one more.
// needs: MPI_Comm_spawn
// expect: nothing
#include "require.h"
#include <string.h>

static void start_three(char *program) {
    char *commands[2] = {program, program}, *first[2] = {"a b", NULL}, *second[3] = {"-z", "x=y", NULL};
    char **arguments[2] = {first, second};
    int counts[2] = {1, 2}, errors[3], sum = 0, value;
    MPI_Info infos[2] = {MPI_INFO_NULL, MPI_INFO_NULL};
    MPI_Comm children;
    MPI_Comm_spawn_multiple(2, commands, arguments, counts, infos, 0, MPI_COMM_SELF, &children, errors);
    for (int i = 0; i < 3; i++) {
        MPI_Recv(&value, 1, MPI_INT, i, 1, children, MPI_STATUS_IGNORE);
        sum += value;
    }
    require(sum == 0 + 1 + 2);
    MPI_Comm_disconnect(&children);
}

int main(int argc, char **argv) {
    int rank, size, error, value = 0;
    MPI_Comm parents, child;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_get_parent(&parents);
    if (parents == MPI_COMM_NULL) {
        if (rank == 0) {
            start_three(argv[0]);
            puts("children and a grandchild");
        }
        MPI_Barrier(MPI_COMM_WORLD);
    } else if (argc > 1 && strcmp(argv[1], "grandchild")) {
        char *own[2] = {"grandchild", NULL};
        require(size == 3);
        require(rank == 0 ? argc == 2 && !strcmp(argv[1], "a b") : argc == 3 && !strcmp(argv[1], "-z") && !strcmp(argv[2], "x=y"));
        MPI_Comm_spawn(argv[0], own, 1, MPI_INFO_NULL, 2, MPI_COMM_WORLD, &child, &error);
        MPI_Bcast(&rank, 1, MPI_INT, rank == 1 ? MPI_ROOT : MPI_PROC_NULL, child);
        MPI_Send(&rank, 1, MPI_INT, 0, 1, parents);
        MPI_Comm_disconnect(&child);
        MPI_Comm_disconnect(&parents);
    } else {
        require(size == 1);
        MPI_Bcast(&value, 1, MPI_INT, 1, parents);
        require(value == 1);
        MPI_Comm_disconnect(&parents);
    }
    MPI_Finalize();
    return 0;
}
