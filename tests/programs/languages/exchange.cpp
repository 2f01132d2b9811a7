// The algorithm of exchange.c in C++.
#include <array>
#include <mpi.h>
#include <numeric>

class World {
  public:
    int rank = 0, size = 0;
    World() {
        MPI_Init(nullptr, nullptr);
        MPI_Comm_rank(MPI_COMM_WORLD, &rank);
        MPI_Comm_size(MPI_COMM_WORLD, &size);
    }
    ~World() { MPI_Finalize(); }
};

template <typename T> void column(const World &world, T &matrix) {
    MPI_Datatype column;
    MPI_Status status;
    MPI_Type_vector(4, 1, 4, MPI_INT, &column);
    MPI_Type_commit(&column);
    if (world.rank == 0) MPI_Send(matrix.data(), 1, column, 1, 2, MPI_COMM_WORLD);
    if (world.rank == 1) MPI_Recv(matrix.data(), 1, column, MPI_ANY_SOURCE, 2, MPI_COMM_WORLD, &status);
    MPI_Type_free(&column);
}

int main() {
    World world;
    int right = (world.rank + 1) % world.size, left = (world.rank + world.size - 1) % world.size, token, sum, most, share;
    std::array<int, 16> matrix{};
    std::array<int, 4> numbers;
    MPI_Request requests[2];
    MPI_Status status;
    MPI_Comm half;
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Irecv(&token, 1, MPI_INT, left, 1, MPI_COMM_WORLD, &requests[0]);
    MPI_Isend(&world.rank, 1, MPI_INT, right, 1, MPI_COMM_WORLD, &requests[1]);
    MPI_Wait(&requests[0], &status);
    MPI_Wait(&requests[1], &status);
    column(world, matrix);
    std::iota(numbers.begin(), numbers.end(), token);
    MPI_Bcast(numbers.data(), 4, MPI_INT, 0, MPI_COMM_WORLD);
    MPI_Scatter(numbers.data(), 1, MPI_INT, &share, 1, MPI_INT, 0, MPI_COMM_WORLD);
    auto add = [&share, &sum] {
        MPI_Allreduce(&share, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    };
    add();
    MPI_Gather(&share, 1, MPI_INT, numbers.data(), 1, MPI_INT, 0, MPI_COMM_WORLD);
    MPI_Comm_split(MPI_COMM_WORLD, world.rank % 2, world.rank, &half);
    MPI_Reduce(&world.rank, &most, 1, MPI_INT, MPI_MAX, 0, half);
    MPI_Comm_free(&half);
    MPI_Barrier(MPI_COMM_WORLD);
    return sum != 18;
}
