// Messages of made datatypes: a column received as a row, a struct, a block of a matrix, an index list.
// expect: nothing
#include "require.h"
#include <stddef.h>

struct particle {
    double place[3];
    int kind;
    char name[4];
};

static int rank;

static void column_as_row(void) {
    int matrix[4][5], row[4];
    MPI_Datatype column;
    MPI_Type_vector(4, 1, 5, MPI_INT, &column);
    MPI_Type_commit(&column);
    for (int i = 0; i < 20; i++)
        matrix[i / 5][i % 5] = i;
    if (rank == 0)
        MPI_Send(&matrix[0][2], 1, column, 1, 0, MPI_COMM_WORLD);
    if (rank == 1) {
        MPI_Recv(row, 4, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        require(row[0] == 2 && row[3] == 17);
    }
    MPI_Type_free(&column);
}

static void structs(void) {
    struct particle particles[2] = {{{rank, 2, 3}, 4, "He"}, {{5, 6, rank}, 8, "Ne"}};
    int lengths[3] = {3, 1, 4};
    MPI_Aint places[3] = {offsetof(struct particle, place), offsetof(struct particle, kind), offsetof(struct particle, name)};
    MPI_Datatype types[3] = {MPI_DOUBLE, MPI_INT, MPI_CHAR}, packed, particle;
    MPI_Type_create_struct(3, lengths, places, types, &packed);
    MPI_Type_create_resized(packed, 0, sizeof(struct particle), &particle);
    MPI_Type_free(&packed);
    MPI_Type_commit(&particle);
    MPI_Bcast(particles, 2, particle, 3, MPI_COMM_WORLD);
    require(particles[0].place[0] == 3 && particles[1].place[2] == 3 && particles[1].name[1] == 'e');
    MPI_Type_free(&particle);
}

static void block(void) {
    int matrix[6][6] = {{0}}, flat[4] = {0}, sizes[2] = {6, 6}, part[2] = {2, 2}, start[2] = {3, 1};
    MPI_Datatype corner;
    MPI_Type_create_subarray(2, sizes, part, start, MPI_ORDER_C, MPI_INT, &corner);
    MPI_Type_commit(&corner);
    matrix[4][2] = 11;
    if (rank == 2)
        MPI_Send(matrix, 1, corner, 3, 1, MPI_COMM_WORLD);
    if (rank == 3) {
        MPI_Recv(flat, 4, MPI_INT, 2, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        require(flat[3] == 11);
    }
    MPI_Type_free(&corner);
}

static void index_list(void) {
    int from[8] = {0, 1, 2, 3, 4, 5, 6, 7}, to[3] = {0}, lengths[2] = {1, 2}, places[2] = {6, 2};
    MPI_Datatype some, pair;
    MPI_Type_indexed(2, lengths, places, MPI_INT, &some);
    MPI_Type_commit(&some);
    MPI_Type_contiguous(3, MPI_INT, &pair);
    MPI_Type_commit(&pair);
    MPI_Sendrecv(from, 1, some, rank, 2, to, 1, pair, rank, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    require(to[0] == 6 && to[1] == 2 && to[2] == 3);
    MPI_Type_free(&pair);
    MPI_Type_free(&some);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    column_as_row();
    structs();
    block();
    index_list();
    if (rank == 0)
        puts("made datatypes");
    MPI_Finalize();
    return 0;
}
