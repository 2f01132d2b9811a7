// Messages of unknown length: MPI_Probe, MPI_Iprobe, and the matched probes with MPI_Mrecv and MPI_Imrecv.
// expect: nothing
#include "require.h"

static int length_of(MPI_Status *status) {
    int count;
    MPI_Get_count(status, MPI_INT, &count);
    return count;
}

static void receive_by_probe(int *values) {
    int flag = 0;
    MPI_Status status;
    MPI_Probe(MPI_ANY_SOURCE, 1, MPI_COMM_WORLD, &status);
    MPI_Recv(values, length_of(&status), MPI_INT, status.MPI_SOURCE, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    while (!flag)
        MPI_Iprobe(0, MPI_ANY_TAG, MPI_COMM_WORLD, &flag, &status);
    require(status.MPI_TAG == 2);
    MPI_Recv(values, length_of(&status), MPI_INT, 0, status.MPI_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static void receive_by_matched_probe(int *values) {
    int flag = 0;
    MPI_Message message;
    MPI_Status status;
    MPI_Request request;
    MPI_Mprobe(MPI_ANY_SOURCE, 3, MPI_COMM_WORLD, &message, &status);
    MPI_Mrecv(values, length_of(&status), MPI_INT, &message, MPI_STATUS_IGNORE);
    while (!flag)
        MPI_Improbe(0, 4, MPI_COMM_WORLD, &flag, &message, &status);
    MPI_Imrecv(values, length_of(&status), MPI_INT, &message, &request);
    MPI_Wait(&request, &status);
    require(status.MPI_SOURCE == 0);
}

int main(int argc, char **argv) {
    int rank, size, values[64] = {0};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0) {
        for (int tag = 1; tag <= 4; tag++)
            for (int to = 1; to < size; to++)
                MPI_Send(values, to + tag, MPI_INT, to, tag, MPI_COMM_WORLD);
        puts("probed");
    } else {
        receive_by_probe(values);
        receive_by_matched_probe(values);
    }
    MPI_Finalize();
    return 0;
}
