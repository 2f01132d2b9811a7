// Buffers of sends are written to as soon as that is allowed: after each kind of call that completes a send, after a request was seen to be
// complete, and between the rounds of a persistent one. Data with holes keeps what is sent, and changes what is in the holes.
// expect: nothing
#include "require.h"

#define COUNT 6

int main(int argc, char** argv) {
    int rank, flag = 0, index, done, indices[COUNT], x[COUNT], y[COUNT], wide[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    MPI_Request sends[COUNT], receives[COUNT], one;
    MPI_Datatype every_other;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++) {
            x[i] = round * COUNT + i;
            MPI_Irecv(&y[i], 1, MPI_INT, rank, i, MPI_COMM_WORLD, &receives[i]);
            MPI_Isend(&x[i], 1, MPI_INT, rank, i, MPI_COMM_WORLD, &sends[i]);
        }
        MPI_Waitall(COUNT, receives, MPI_STATUSES_IGNORE);
        MPI_Wait(&sends[0], MPI_STATUS_IGNORE);
        x[0] = -1;
        MPI_Waitany(COUNT, sends, &index, MPI_STATUS_IGNORE);
        x[index] = -1;
        for (done = 0; done < COUNT - 2;) {
            int some;
            MPI_Waitsome(COUNT, sends, &some, indices, MPI_STATUSES_IGNORE);
            for (int i = 0; i < some; i++) x[indices[i]] = -1;
            done += some;
        }
    }
    MPI_Irecv(&y[0], 1, MPI_INT, rank, 0, MPI_COMM_WORLD, &receives[0]);
    MPI_Isend(&x[0], 1, MPI_INT, rank, 0, MPI_COMM_WORLD, &one);
    MPI_Wait(&receives[0], MPI_STATUS_IGNORE);
    while (!flag) MPI_Request_get_status(one, &flag, MPI_STATUS_IGNORE);
    x[0] = 42;
    MPI_Wait(&one, MPI_STATUS_IGNORE);

    MPI_Ssend_init(&x[0], 1, MPI_INT, rank, 0, MPI_COMM_WORLD, &one);
    for (int round = 0; round < 3; round++) {
        x[0] = round;
        MPI_Irecv(&y[0], 1, MPI_INT, rank, 0, MPI_COMM_WORLD, &receives[0]);
        MPI_Start(&one);
        MPI_Wait(&receives[0], MPI_STATUS_IGNORE);
        MPI_Wait(&one, MPI_STATUS_IGNORE);
        x[0] = -1;
        MPI_Wait(&one, MPI_STATUS_IGNORE);  /* of a request that is not active: returns at once */
        require(y[0] == round);
    }
    MPI_Request_free(&one);

    MPI_Type_vector(4, 1, 2, MPI_INT, &every_other);
    MPI_Type_commit(&every_other);
    MPI_Irecv(y, 4, MPI_INT, rank, 0, MPI_COMM_WORLD, &receives[0]);
    MPI_Isend(wide, 1, every_other, rank, 0, MPI_COMM_WORLD, &one);
    wide[1] = wide[3] = -1;
    MPI_Wait(&receives[0], MPI_STATUS_IGNORE);
    MPI_Wait(&one, MPI_STATUS_IGNORE);
    MPI_Irecv(y, 4, MPI_INT, rank, 0, MPI_COMM_WORLD, &receives[0]);
    MPI_Isend(wide, 1, every_other, rank, 0, MPI_COMM_WORLD, &one);
    MPI_Type_free(&every_other);
    wide[1] = wide[3] = -2;
    MPI_Wait(&receives[0], MPI_STATUS_IGNORE);
    MPI_Wait(&one, MPI_STATUS_IGNORE);
    require(y[0] == 1 && y[3] == 7);
    MPI_Finalize();
    return 0;
}
