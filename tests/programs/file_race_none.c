// Ranks write to a file apart from each other, the same to one place, and to one place where the file is atomic or synchronised in between.
// expect: nothing
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, value, header = 42;
    MPI_File file;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    value = rank;
    MPI_File_open(MPI_COMM_WORLD, "apart.dat", MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_DELETE_ON_CLOSE, MPI_INFO_NULL, &file);
    MPI_File_write_at(file, 0, &header, 1, MPI_INT, MPI_STATUS_IGNORE);
    MPI_File_write_at_all(file, (1 + rank) * sizeof(int), &value, 1, MPI_INT, MPI_STATUS_IGNORE);
    MPI_File_sync(file);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_File_sync(file);
    MPI_File_read_at(file, (1 + (rank + 1) % size) * sizeof(int), &value, 1, MPI_INT, MPI_STATUS_IGNORE);
    require(value == (rank + 1) % size);
    MPI_File_sync(file);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_File_set_atomicity(file, 1);
    MPI_File_write_at(file, sizeof(int), &value, 1, MPI_INT, MPI_STATUS_IGNORE);
    MPI_File_close(&file);
    MPI_Finalize();
    return 0;
}
