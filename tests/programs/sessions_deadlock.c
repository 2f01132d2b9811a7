// Without an MPI_COMM_WORLD: ranks 0 and 1 of a session's communicator wait for each other.
// needs: MPI_Session_init
// expect: error deadlock/cycle
// ends: hang
#include "require.h"

int main(void) {
    int rank, x = 0;
    MPI_Session session;
    MPI_Group everyone;
    MPI_Comm all;
    MPI_Session_init(MPI_INFO_NULL, MPI_ERRORS_ARE_FATAL, &session);
    MPI_Group_from_session_pset(session, "mpi://WORLD", &everyone);
    MPI_Comm_create_from_group(everyone, "all", MPI_INFO_NULL, MPI_ERRORS_ARE_FATAL, &all);
    MPI_Comm_rank(all, &rank);
    if (rank < 2) {
        MPI_Recv(&x, 1, MPI_INT, 1 - rank, 3, all, MPI_STATUS_IGNORE);  // <- deadlock/cycle
        MPI_Send(&x, 1, MPI_INT, 1 - rank, 3, all);
    }
    MPI_Comm_free(&all);
    MPI_Group_free(&everyone);
    MPI_Session_finalize(&session);
    return 0;
}
