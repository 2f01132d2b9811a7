// A ring of messages in parts, three rounds: parts are marked one by one, as a range and as a list, and looked after with MPI_Parrived. Two
// pairs with the same tag are told apart by the order that they were made in.
// needs: MPI_Psend_init
// expect: nothing
#include "require.h"

enum { PARTS = 4, EACH = 8, ROUNDS = 3 };

static int out[2][PARTS * EACH], in[2][PARTS * EACH];

static void mark(int round, MPI_Request request) {
    int list[2] = {3, 1};
    switch (round) {
    case 0:
        for (int part = PARTS - 1; part >= 0; part--)
            MPI_Pready(part, request);
        break;
    case 1:
        MPI_Pready_range(0, PARTS - 1, request);
        break;
    default:
        MPI_Pready_list(2, list, request);
        MPI_Pready(0, request);
        MPI_Pready(2, request);
    }
}

int main(int argc, char **argv) {
    int rank, size, there;
    MPI_Request requests[4];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int right = (rank + 1) % size, left = (rank + size - 1) % size;
    for (int pair = 0; pair < 2; pair++) {
        MPI_Psend_init(out[pair], PARTS, EACH, MPI_INT, right, 5, MPI_COMM_WORLD, MPI_INFO_NULL, &requests[pair]);
        MPI_Precv_init(in[pair], PARTS, EACH, MPI_INT, left, 5, MPI_COMM_WORLD, MPI_INFO_NULL, &requests[2 + pair]);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int pair = 0; pair < 2; pair++)
            for (int i = 0; i < PARTS * EACH; i++)
                out[pair][i] = 1000 * rank + 100 * pair + 10 * round + i;
        // One by one: Open MPI 5.0 hangs after MPI_Startall.
        for (int i = 0; i < 4; i++)
            MPI_Start(&requests[i]);
        // The second pair goes first, which changes nothing.
        mark(round, requests[1]);
        mark(round, requests[0]);
        for (int part = 0; part < PARTS; part++)
            for (there = 0; !there;)
                MPI_Parrived(requests[2], part, &there);
        MPI_Waitall(4, requests, MPI_STATUSES_IGNORE);
        for (int pair = 0; pair < 2; pair++)
            for (int i = 0; i < PARTS * EACH; i++)
                require(in[pair][i] == 1000 * left + 100 * pair + 10 * round + i);
    }
    for (int i = 0; i < 4; i++)
        MPI_Request_free(&requests[i]);
    if (rank == 0)
        puts("all parts came");
    MPI_Finalize();
    return 0;
}
