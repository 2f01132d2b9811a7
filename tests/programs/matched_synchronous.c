// A synchronous send to itself is tested before and after its message is taken by MPI_Mprobe and MPI_Mrecv: the test that finds it complete is
// explained by that.
// expect: explained
// expect: nothing
#include "require.h"

int main(int argc, char** argv) {
    int rank, sent, received, flag;
    MPI_Message message;
    MPI_Status status;
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    sent = rank;
    for (int round = 0; round < 3; round++) {
        MPI_Issend(&sent, 1, MPI_INT, 0, 0, MPI_COMM_SELF, &request);
        MPI_Test(&request, &flag, MPI_STATUS_IGNORE);
        require(!flag);
        MPI_Mprobe(0, 0, MPI_COMM_SELF, &message, &status);
        MPI_Mrecv(&received, 1, MPI_INT, &message, &status);
        require(received == rank);
        do {
            MPI_Test(&request, &flag, &status);
        } while (!flag);
    }
    MPI_Finalize();
    return 0;
}
