// Each rank writes two numbers to a file, the second one where its neighbour writes the first.
// expect: error file/race
#include "require.h"

int main(int argc, char **argv) {
    int rank, values[2];
    MPI_File file;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    values[0] = values[1] = rank;
    MPI_File_open(MPI_COMM_WORLD, "race.dat", MPI_MODE_CREATE | MPI_MODE_WRONLY | MPI_MODE_DELETE_ON_CLOSE, MPI_INFO_NULL, &file);
    MPI_File_write_at(file, rank * sizeof(int), values, 2, MPI_INT, MPI_STATUS_IGNORE); // <- file/race
    MPI_File_close(&file);
    MPI_Finalize();
    return 0;
}
