// A program that has sessions only, and never an MPI_COMM_WORLD: a communicator of all processes, one of half of them, and what goes over
// them.
// needs: MPI_Session_init
// expect: nothing
#include "require.h"

int main(void) {
    int rank, size, sum, got = -1, members[2];
    MPI_Session session;
    MPI_Group everyone, part;
    MPI_Comm all, half;
    MPI_Session_init(MPI_INFO_NULL, MPI_ERRORS_ARE_FATAL, &session);
    MPI_Group_from_session_pset(session, "mpi://WORLD", &everyone);
    MPI_Comm_create_from_group(everyone, "all", MPI_INFO_NULL, MPI_ERRORS_ARE_FATAL, &all);
    MPI_Comm_rank(all, &rank);
    MPI_Comm_size(all, &size);

    int right = (rank + 1) % size, left = (rank + size - 1) % size;
    MPI_Sendrecv(&rank, 1, MPI_INT, right, 3, &got, 1, MPI_INT, left, 3, all, MPI_STATUS_IGNORE);
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, all);
    if (got != left || sum != size * (size - 1) / 2)
        return 1;

    members[0] = rank - rank % 2;
    members[1] = members[0] + 1;
    MPI_Group_incl(everyone, 2, members, &part);
    MPI_Comm_create_from_group(part, "half", MPI_INFO_NULL, MPI_ERRORS_ARE_FATAL, &half);
    MPI_Bcast(&sum, 1, MPI_INT, 0, half);
    if (rank == 0)
        puts("no world was needed");
    MPI_Comm_free(&half);
    MPI_Comm_free(&all);
    MPI_Group_free(&part);
    MPI_Group_free(&everyone);
    MPI_Session_finalize(&session);
    return 0;
}
