// A buffer is sent from while a receive into it is under way, whose message comes only after what was sent has arrived: libraries such as BLACS do
// so, and it does no harm. What arrives is what was sent, however late it is looked at.
// expect: nothing
#include "require.h"

#define ROUNDS 200
#define COUNT 500

int main(int argc, char** argv) {
    int rank, x[COUNT], y[COUNT];
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < COUNT; i++) x[i] = rank * ROUNDS + round;
        if (rank == 1) {
            MPI_Irecv(x, COUNT, MPI_INT, 0, 1, MPI_COMM_WORLD, &request);
            MPI_Ssend(x, COUNT, MPI_INT, 0, 0, MPI_COMM_WORLD);
            MPI_Wait(&request, MPI_STATUS_IGNORE);
            require(x[0] == round && x[COUNT - 1] == round);
        } else if (rank == 0) {
            MPI_Recv(y, COUNT, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            require(y[0] == ROUNDS + round && y[COUNT - 1] == ROUNDS + round);
            MPI_Rsend(x, COUNT, MPI_INT, 1, 1, MPI_COMM_WORLD);
        }
    }
    MPI_Finalize();
    return 0;
}
