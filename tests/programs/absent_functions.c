// What this library lacks of MPI is absent under the recorder, too, in every way that a program can ask: by a weak reference, by dlsym in
// all that is loaded, in what comes next, and in the library itself, before MPI_Init and after. Prints what is there, which must be the same.
// expect: nothing
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <mpi.h>
#include <stdio.h>
#include <string.h>

// Old and new ones; some that every library has, and one that none has. The headers may declare them, so they are given other names here.
#define NAMES(X)                                                                                                        \
    X(MPI_Send) X(PMPI_Send) X(MPI_Send_c) X(PMPI_Send_c) X(MPI_Allreduce_c) X(MPI_Type_vector_c) X(MPI_Psend_init)     \
    X(MPI_Session_init) X(PMPI_Session_init) X(MPI_Session_finalize) X(MPI_Isendrecv) X(MPI_Allreduce_init)             \
    X(MPI_Comm_idup_with_info) X(MPI_Comm_create_from_group) X(MPI_Info_get_string) X(MPI_Request_get_status_all)       \
    X(MPI_Comm_attach_buffer) X(MPI_Comm_flush_buffer) X(MPI_Remove_error_class) X(MPI_Status_get_error)                \
    X(MPI_Type_get_value_index) X(MPI_Get_hw_resource_info) X(MPI_Address) X(MPI_Type_hindexed) X(MPI_Abi_get_version)  \
    X(MPI_Get_library_version) X(MPI_Comm_toint) X(MPI_Iflush_buffer) X(MPI_Improbe) X(MPI_No_such_function)

#define DECLARE(name) extern int weak_##name(void) __asm__(#name) __attribute__((weak));
#define ADDRESS(name) (void *)weak_##name,
#define TEXT(name) #name,
NAMES(DECLARE)
static void *volatile weak[] = {NAMES(ADDRESS)};
static const char *const names[] = {NAMES(TEXT)};
enum { COUNT = sizeof names / sizeof *names };

static void *everything, *library;

static int find_library(struct dl_phdr_info *object, size_t size, void *state) {
    (void)size, (void)state;
    const char *file = strrchr(object->dlpi_name, '/');
    int is_library = file && (!strncmp(file, "/libmpi.so", 10) || !strncmp(file, "/libmpich.so", 12) || !strncmp(file, "/libmpi_abi.so", 14));
    if (is_library)
        library = dlopen(object->dlpi_name, RTLD_LAZY | RTLD_NOLOAD);
    return is_library;
}

static void look(char found[COUNT][8]) {
    for (int i = 0; i < COUNT; i++) {
        void *answers[] = {weak[i], dlsym(RTLD_DEFAULT, names[i]), dlsym(RTLD_NEXT, names[i]), dlsym(everything, names[i]), dlsym(library, names[i])};
        for (int way = 0; way < 5; way++)
            found[i][way] = answers[way] ? '1' : '0';
        found[i][5] = 0;
    }
}

int main(int argc, char **argv) {
    static char before[COUNT][8], after[COUNT][8];
    int rank;
    everything = dlopen(NULL, RTLD_LAZY);
    dl_iterate_phdr(find_library, NULL);
    look(before);
    MPI_Init(&argc, &argv);
    look(after);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (int i = 0; rank == 0 && i < COUNT; i++)
        printf("%s %s %s\n", names[i], before[i], after[i]);
    MPI_Finalize();
    return library == NULL;
}
