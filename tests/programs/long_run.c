// A halo exchange by persistent requests, messages of a derived type to whoever comes first, sums, on a communicator of its own, and messages
// of each rank to itself: as many rounds as are said. If a second word is given, all wait for a message in the end that nobody sends.
// expect: nothing
#include "require.h"
#include <stdlib.h>

int main(int argc, char **argv) {
    int rank, size, sum, rounds = argc > 1 ? atoi(argv[1]) : 10;
    int sent[2] = {0}, received[2][2], pair[4] = {1, 0, 2, 0}, parts[2];
    MPI_Comm comm;
    MPI_Datatype every_other;
    MPI_Request halo[4];
    MPI_Init(&argc, &argv);
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    int left = (rank + size - 1) % size, right = (rank + 1) % size;
    MPI_Type_vector(2, 1, 2, MPI_INT, &every_other);
    MPI_Type_commit(&every_other);
    MPI_Recv_init(received[0], 2, MPI_INT, left, 1, comm, &halo[0]);
    MPI_Recv_init(received[1], 2, MPI_INT, right, 2, comm, &halo[1]);
    MPI_Send_init(sent, 2, MPI_INT, right, 1, comm, &halo[2]);
    MPI_Send_init(sent, 2, MPI_INT, left, 2, comm, &halo[3]);
    for (int round = 0; round < rounds; round++) {
        sent[0] = rank, sent[1] = round;
        MPI_Startall(4, halo);
        MPI_Waitall(4, halo, MPI_STATUSES_IGNORE);
        require(received[0][0] == left && received[0][1] == round && received[1][0] == right && received[1][1] == round);
        if (rank > 0) {
            MPI_Send(pair, 1, every_other, 0, round % 10, comm);
        } else {
            for (int other = 1; other < size; other++)
                MPI_Recv(parts, 2, MPI_INT, MPI_ANY_SOURCE, round % 10, comm, MPI_STATUS_IGNORE);
            require(parts[0] == 1 && parts[1] == 2);
        }
        MPI_Allreduce(&round, &sum, 1, MPI_INT, MPI_SUM, comm);
        require(sum == round * size);
        for (int n = 0; n < 100; n++)
            MPI_Sendrecv(&n, 1, MPI_INT, 0, n % 10, &sum, 1, MPI_INT, 0, n % 10, MPI_COMM_SELF, MPI_STATUS_IGNORE);
    }
    if (argc > 2)
        MPI_Recv(parts, 1, MPI_INT, left, 99, comm, MPI_STATUS_IGNORE); // nobody sends it
    for (int request = 0; request < 4; request++)
        MPI_Request_free(&halo[request]);
    MPI_Type_free(&every_other);
    MPI_Comm_free(&comm);
    MPI_Finalize();
    return 0;
}
