// Communicators by every constructor, and messages on each that would mix if any two were the same.
// expect: nothing
#include "require.h"

static void use(MPI_Comm comm) {
    int rank, size, left;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    MPI_Sendrecv(&rank, 1, MPI_INT, (rank + 1) % size, 0, &left, 1, MPI_INT, (rank + size - 1) % size, 0, comm,
                 MPI_STATUS_IGNORE);
    require(left == (rank + size - 1) % size);
}

static void use_and_free(MPI_Comm *comm) {
    use(*comm);
    MPI_Barrier(*comm);
    MPI_Comm_free(comm);
    require(*comm == MPI_COMM_NULL);
}

int main(int argc, char **argv) {
    int rank, size;
    MPI_Comm comm, other;
    MPI_Group world, even;
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);

    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    use_and_free(&comm);
    MPI_Comm_idup(MPI_COMM_WORLD, &comm, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    use(comm);
    MPI_Comm_split(comm, rank % 2, -rank, &other);
    use_and_free(&other);
    MPI_Comm_free(&comm);
    MPI_Comm_split(MPI_COMM_WORLD, rank == 0 ? MPI_UNDEFINED : 1, 0, &comm);
    require((rank == 0) == (comm == MPI_COMM_NULL));
    if (comm != MPI_COMM_NULL)
        use_and_free(&comm);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &comm);
    use_and_free(&comm);

    int range[1][3] = {{0, size - 1, 2}};
    MPI_Comm_group(MPI_COMM_WORLD, &world);
    MPI_Group_range_incl(world, 1, range, &even);
    MPI_Comm_create(MPI_COMM_WORLD, even, &comm);
    if (comm != MPI_COMM_NULL)
        use_and_free(&comm);
    if (rank % 2 == 0) {
        MPI_Comm_create_group(MPI_COMM_WORLD, even, 3, &comm);
        use_and_free(&comm);
    }
    MPI_Group_free(&even);
    MPI_Group_free(&world);
    use(MPI_COMM_WORLD);
    use(MPI_COMM_SELF);
    if (rank == 0)
        puts("communicators");
    MPI_Finalize();
    return 0;
}
