// A datatype is made and committed in a loop and freed once only.
// expect: warning leak/datatype
#include <mpi.h>

int main(int argc, char **argv) {
    MPI_Datatype column;
    MPI_Init(&argc, &argv);
    for (int round = 0; round < 3; round++) {
        MPI_Type_vector(4, 1, 4, MPI_INT, &column); // <- leak/datatype
        MPI_Type_commit(&column);
    }
    MPI_Type_free(&column);
    MPI_Finalize();
    return 0;
}
