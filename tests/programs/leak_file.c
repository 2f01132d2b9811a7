// A file is opened, written, and never closed.
// expect: warning leak/file
#include <mpi.h>

int main(int argc, char **argv) {
    int x = 7;
    MPI_File file;
    MPI_Init(&argc, &argv);
    MPI_File_open(MPI_COMM_SELF, "leak_file.out", MPI_MODE_CREATE | MPI_MODE_WRONLY | MPI_MODE_DELETE_ON_CLOSE, MPI_INFO_NULL, &file); // <- leak/file
    MPI_File_write_at(file, 0, &x, 1, MPI_INT, MPI_STATUS_IGNORE);
    MPI_Finalize();
    return 0;
}
