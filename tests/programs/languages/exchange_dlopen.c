// The algorithm of exchange.c in C that loads the library itself, as Julia does: it is built without any MPI, finds the functions by their
// names, and handles are words. The arguments are the way to do so, and the path of the library.
#define _GNU_SOURCE
#include <assert.h>
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef intptr_t word;

static void *where, *library;

// Loads the library to itself (`deepbind`, Julia's way), for all to see (`default`, `next`), or in a namespace of its own (`namespace`).
static void load(const char *way, const char *path) {
    if (!strcmp(way, "namespace"))
        library = dlmopen(LM_ID_NEWLM, path, RTLD_LAZY);
    else
        library = dlopen(path, !strcmp(way, "deepbind") ? RTLD_LAZY | RTLD_DEEPBIND : RTLD_LAZY | RTLD_GLOBAL);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    where = !strcmp(way, "default") ? RTLD_DEFAULT : !strcmp(way, "next") ? RTLD_NEXT : library;
    assert(!dlvsym(library, "MPI_Init", "NO_SUCH_VERSION"));
}

// Whatever a function of MPI takes are words.
typedef int (*function)();

static function find(const char *name) {
    void *found = dlsym(where, name);
    if (!found) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return (function)found;
}

#define MPI(name) find("MPI_" #name)

static word WORLD, INT, SUM, MAX, ANY_SOURCE;

static void constants(void) {
    function version = (function)dlsym(where, "MPI_Abi_get_version");
    int major = -1, minor;
    if (version) version(&major, &minor);
    if (major > 0)
        WORLD = 0x101, INT = 0x209, SUM = 0x21, MAX = 0x23, ANY_SOURCE = -1;
    else if (dlsym(where, "ompi_mpi_comm_world"))
        WORLD = (word)find("ompi_mpi_comm_world"), INT = (word)find("ompi_mpi_int"), SUM = (word)find("ompi_mpi_op_sum"),
        MAX = (word)find("ompi_mpi_op_max"), ANY_SOURCE = -1;
    else
        WORLD = 0x44000000, INT = 0x4c000405, SUM = 0x58000003, MAX = 0x58000001, ANY_SOURCE = -2;
}

int main(int argc, char **argv) {
    int rank, size, token, sum, most, share, matrix[16] = {0}, numbers[4], status[16];
    word receive = 0, send = 0, column = 0, half = 0;
    assert(argc == 3);
    load(argv[1], argv[2]);
    constants();
    MPI(Init)(NULL, NULL);
    MPI(Comm_rank)(WORLD, &rank);
    MPI(Comm_size)(WORLD, &size);
    int right = (rank + 1) % size, left = (rank + size - 1) % size;
    MPI(Barrier)(WORLD);
    MPI(Irecv)(&token, 1, INT, left, 1, WORLD, &receive);
    MPI(Isend)(&rank, 1, INT, right, 1, WORLD, &send);
    MPI(Wait)(&receive, status);
    MPI(Wait)(&send, status);
    MPI(Type_vector)(4, 1, 4, INT, &column);
    MPI(Type_commit)(&column);
    if (rank == 0) MPI(Send)(matrix, 1, column, 1, 2, WORLD);
    if (rank == 1) MPI(Recv)(matrix, 1, column, ANY_SOURCE, 2, WORLD, status);
    MPI(Type_free)(&column);
    for (int i = 0; i < 4; i++) numbers[i] = token + i;
    MPI(Bcast)(numbers, 4, INT, 0, WORLD);
    MPI(Scatter)(numbers, 1, INT, &share, 1, INT, 0, WORLD);
    MPI(Allreduce)(&share, &sum, 1, INT, SUM, WORLD);
    MPI(Gather)(&share, 1, INT, numbers, 1, INT, 0, WORLD);
    MPI(Comm_split)(WORLD, rank % 2, rank, &half);
    MPI(Reduce)(&rank, &most, 1, INT, MAX, 0, half);
    MPI(Comm_free)(&half);
    MPI(Barrier)(WORLD);
    MPI(Finalize)();
    /* Nothing of MPI is needed any more. */
    dlclose(library);
    return sum != 18;
}
