// A layer of templates in C++, most of them inlined into each other.
// expect: nothing
// stack: MPI_Allreduce: Sum<int>::of(int) < int total<int>(int) < main
// stack: MPI_Allreduce: Sum<double>::of(double) < double total<double>(double)
// stack: MPI_Finalize: Session::~Session() < main
#include <functional>
#include <mpi.h>

template <typename T> MPI_Datatype type_of();
template <> MPI_Datatype type_of<int>() { return MPI_INT; }
template <> MPI_Datatype type_of<double>() { return MPI_DOUBLE; }

template <typename T> struct Sum {
    T value;

    T of(T number) {
        MPI_Allreduce(&number, &value, 1, type_of<T>(), MPI_SUM, MPI_COMM_WORLD);
        return value;
    }
};

template <typename T> __attribute__((noinline)) T total(T number) {
    Sum<T> sum{};
    return sum.of(number) + number;
}

struct Session {
    Session(int *argc, char ***argv) { MPI_Init(argc, argv); }
    ~Session() { MPI_Finalize(); }
};

int main(int argc, char **argv) {
    Session session(&argc, &argv);
    std::function<double(double)> by_function = [](double number) { return total(number); };
    return total(1) + by_function(0.5) > 0 ? 0 : 1;
}
