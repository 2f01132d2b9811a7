// Ranks 0 and 1 seek to before the beginning of a file. Calls on files return their errors, and nobody looks at this one.
// expect: warning argument/displacement
#include "require.h"

int main(int argc, char** argv) {
    int rank, x = 0;
    MPI_File file;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_File_open(MPI_COMM_WORLD, "made", MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_DELETE_ON_CLOSE, MPI_INFO_NULL, &file);
    MPI_File_seek(file, (rank - 2) * (MPI_Offset)sizeof x, MPI_SEEK_SET);  // <- argument/displacement
    MPI_File_close(&file);
    MPI_Finalize();
    return 0;
}
