// The little algorithm that is written here in every language: a ring, a column of a matrix, numbers dealt out, added and collected, and
// two halves of the ranks. What is recorded of it between the two barriers is the same in all of them. Every call stands on a line that
// names its function.
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, size, token, sum, most, share, matrix[16] = {0}, numbers[4];
    MPI_Request requests[2];
    MPI_Status status;
    MPI_Datatype column;
    MPI_Comm half;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int right = (rank + 1) % size, left = (rank + size - 1) % size;
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Irecv(&token, 1, MPI_INT, left, 1, MPI_COMM_WORLD, &requests[0]);
    MPI_Isend(&rank, 1, MPI_INT, right, 1, MPI_COMM_WORLD, &requests[1]);
    MPI_Wait(&requests[0], &status);
    MPI_Wait(&requests[1], &status);
    MPI_Type_vector(4, 1, 4, MPI_INT, &column);
    MPI_Type_commit(&column);
    if (rank == 0) MPI_Send(matrix, 1, column, 1, 2, MPI_COMM_WORLD);
    if (rank == 1) MPI_Recv(matrix, 1, column, MPI_ANY_SOURCE, 2, MPI_COMM_WORLD, &status);
    MPI_Type_free(&column);
    for (int i = 0; i < 4; i++) numbers[i] = token + i;
    MPI_Bcast(numbers, 4, MPI_INT, 0, MPI_COMM_WORLD);
    MPI_Scatter(numbers, 1, MPI_INT, &share, 1, MPI_INT, 0, MPI_COMM_WORLD);
    MPI_Allreduce(&share, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Gather(&share, 1, MPI_INT, numbers, 1, MPI_INT, 0, MPI_COMM_WORLD);
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &half);
    MPI_Reduce(&rank, &most, 1, MPI_INT, MPI_MAX, 0, half);
    MPI_Comm_free(&half);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return sum != 18;
}
