// An attribute's callback frees a datatype, whose handle the library gives again, for a shorter one that lies at the end of a page. What
// MPI_Type_create_f90_integer gives needs no freeing.
// expect: nothing
#define _DEFAULT_SOURCE
#include "require.h"
#include <sys/mman.h>
#include <unistd.h>

static int frees(MPI_Datatype type, int key, void *value, void *state) {
    (void)type, (void)key, (void)state;
    return MPI_Type_free(value);
}

int main(int argc, char **argv) {
    int key, rank, size;
    MPI_Datatype kept, keeper, first, second, predefined;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Type_create_keyval(MPI_TYPE_NULL_COPY_FN, frees, &key, NULL);
    for (int round = 0; round < 10; round++) {
        MPI_Type_contiguous(4096, MPI_INT, &kept);
        MPI_Type_dup(MPI_INT, &keeper);
        MPI_Type_set_attr(keeper, key, &kept);
        MPI_Type_free(&keeper);
        MPI_Type_contiguous(1, MPI_CHAR, &first);
        MPI_Type_contiguous(1, MPI_CHAR, &second);
        MPI_Type_commit(&first);
        MPI_Type_commit(&second);
        long page = sysconf(_SC_PAGESIZE);
        char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        require(pages != MAP_FAILED && mprotect(pages + page, page, PROT_NONE) == 0);
        char *last = pages + page - 1;
        MPI_Sendrecv(last, 1, first, (rank + 1) % size, 0, last - 1, 1, second, (rank + size - 1) % size, 0, MPI_COMM_WORLD,
                     MPI_STATUS_IGNORE);
        MPI_Sendrecv(last, 1, second, (rank + 1) % size, 0, last - 1, 1, first, (rank + size - 1) % size, 0, MPI_COMM_WORLD,
                     MPI_STATUS_IGNORE);
        munmap(pages, 2 * page);
        MPI_Type_free(&first);
        MPI_Type_free(&second);
    }
    MPI_Type_free_keyval(&key);
    MPI_Type_create_f90_integer(4, &predefined);
    MPI_Finalize();
    return 0;
}
