// Buffers are gone when the requests complete that used them, though all messages have been received: that is wrong, and does no harm without the
// recorder. It must do none with it. What was in the buffers then, nobody can say.
// expect: nothing
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include "require.h"

#define BYTES (1 << 20)

static char* mapping(void) {
    char* memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(memory != MAP_FAILED);
    memset(memory, 7, BYTES);
    return memory;
}

int main(int argc, char** argv) {
    int rank;
    char* kept;
    MPI_Request small, large, persistent;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    kept = mapping();
    char *one = mapping(), *two = mapping(), *three = mapping();
    MPI_Isend(one + 8, 8, MPI_BYTE, rank, 0, MPI_COMM_WORLD, &small);
    MPI_Recv(kept, 8, MPI_BYTE, rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Isend(two, BYTES, MPI_BYTE, rank, 0, MPI_COMM_WORLD, &large);
    MPI_Recv(kept, BYTES, MPI_BYTE, rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Send_init(three, 100, MPI_BYTE, rank, 0, MPI_COMM_WORLD, &persistent);
    MPI_Start(&persistent);
    MPI_Recv(kept, 100, MPI_BYTE, rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    munmap(one, BYTES);
    munmap(two, BYTES);
    munmap(three, BYTES);
    MPI_Wait(&small, MPI_STATUS_IGNORE);
    MPI_Wait(&large, MPI_STATUS_IGNORE);
    MPI_Wait(&persistent, MPI_STATUS_IGNORE);
    MPI_Request_free(&persistent);
    require(kept[0] == 7);
    MPI_Finalize();
    return 0;
}
