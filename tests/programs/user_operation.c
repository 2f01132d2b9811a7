// Reductions by an operation of the program's own, and by MPI_MINLOC on a pair type.
// expect: nothing
#include "require.h"

static void product_of_matrices(void *in, void *inout, int *length, MPI_Datatype *type) {
    double *a = in, *b = inout;
    (void)type;
    for (int i = 0; i < *length; i++, a += 4, b += 4) {
        double c[4] = {a[0] * b[0] + a[1] * b[2], a[0] * b[1] + a[1] * b[3], a[2] * b[0] + a[3] * b[2], a[2] * b[1] + a[3] * b[3]};
        for (int k = 0; k < 4; k++)
            b[k] = c[k];
    }
}

int main(int argc, char **argv) {
    int rank, size;
    struct {
        double value;
        int rank;
    } mine, best;
    MPI_Op product;
    MPI_Datatype matrix;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    double shear[4] = {1, 1, 0, 1}, result[4];
    MPI_Type_contiguous(4, MPI_DOUBLE, &matrix);
    MPI_Type_commit(&matrix);
    MPI_Op_create(product_of_matrices, 0, &product);
    MPI_Allreduce(shear, result, 1, matrix, product, MPI_COMM_WORLD);
    require(result[1] == size);
    mine.value = (rank - 2) * (rank - 2);
    mine.rank = rank;
    MPI_Allreduce(&mine, &best, 1, MPI_DOUBLE_INT, MPI_MINLOC, MPI_COMM_WORLD);
    require(best.rank == 2);
    MPI_Op_free(&product);
    MPI_Type_free(&matrix);
    if (rank == 0)
        puts("reduced");
    MPI_Finalize();
    return 0;
}
