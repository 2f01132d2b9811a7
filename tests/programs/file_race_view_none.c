// Each rank has a view of every fourth number from its own on, and writes with its own pointer: between each other's, and never the same.
// expect: nothing
#include "require.h"

int main(int argc, char **argv) {
    int rank, size, values[2];
    MPI_File file;
    MPI_Datatype every;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    values[0] = values[1] = rank;
    MPI_Type_create_resized(MPI_INT, 0, size * (MPI_Aint)sizeof(int), &every);
    MPI_Type_commit(&every);
    MPI_File_open(MPI_COMM_WORLD, "race.dat", MPI_MODE_CREATE | MPI_MODE_WRONLY | MPI_MODE_DELETE_ON_CLOSE, MPI_INFO_NULL, &file);
    MPI_File_set_view(file, rank * (MPI_Offset)sizeof(int), MPI_INT, every, "native", MPI_INFO_NULL);
    MPI_File_write(file, values, 1, MPI_INT, MPI_STATUS_IGNORE);
    MPI_File_write(file, values + 1, 1, MPI_INT, MPI_STATUS_IGNORE);
    MPI_File_write_at_all(file, 2, values, 2, MPI_INT, MPI_STATUS_IGNORE);
    MPI_File_close(&file);
    MPI_Type_free(&every);
    MPI_Finalize();
    return 0;
}
