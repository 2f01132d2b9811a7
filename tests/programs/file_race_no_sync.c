// Rank 0 writes, and after a barrier the others read: MPI_File_sync is missing.
// expect: warning file/race
#include "require.h"

int main(int argc, char **argv) {
    int rank, value = 7;
    MPI_File file;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_File_open(MPI_COMM_WORLD, "read.dat", MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_DELETE_ON_CLOSE, MPI_INFO_NULL, &file);
    if (rank == 0)
        MPI_File_write_at(file, 0, &value, 1, MPI_INT, MPI_STATUS_IGNORE); // <- file/race
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank != 0)
        MPI_File_read_at(file, 0, &value, 1, MPI_INT, MPI_STATUS_IGNORE); // <- file/race
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_File_close(&file);
    MPI_Finalize();
    return 0;
}
