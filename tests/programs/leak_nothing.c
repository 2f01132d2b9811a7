// Everything that can leak is made and given back, some of it in another order, and from handles that MPI counts.
// expect: nothing
#include <mpi.h>

static void add(void *in, void *inout, int *length, MPI_Datatype *type) {
    (void)type;
    for (int i = 0; i < *length; i++)
        ((int *)inout)[i] += ((int *)in)[i];
}

static void report(MPI_Comm *comm, int *code, ...) {
    (void)comm;
    (void)code;
}

int main(int argc, char **argv) {
    MPI_Group all, same;
    MPI_Op op;
    MPI_Info info, copy;
    MPI_Errhandler handler, now;
    MPI_Comm comm;
    MPI_Datatype pair;
    MPI_Request request;
    int one = 1, sum;
    MPI_Init(&argc, &argv);
    MPI_Comm_group(MPI_COMM_WORLD, &all);
    MPI_Comm_group(MPI_COMM_WORLD, &same);
    MPI_Comm_create(MPI_COMM_WORLD, all, &comm);
    MPI_Group_free(&same);
    MPI_Group_free(&all);

    MPI_Op_create(add, 1, &op);
    MPI_Allreduce(&one, &sum, 1, MPI_INT, op, comm);
    MPI_Op_free(&op);

    MPI_Info_create(&info);
    MPI_Info_dup(info, &copy);
    MPI_Info_free(&info);
    MPI_Info_free(&copy);

    MPI_Comm_create_errhandler(report, &handler);
    MPI_Comm_set_errhandler(comm, handler);
    MPI_Comm_get_errhandler(comm, &now);
    MPI_Errhandler_free(&handler);
    MPI_Errhandler_free(&now);

    MPI_Type_contiguous(2, MPI_INT, &pair);
    MPI_Type_free(&pair);

    MPI_Send_init(&one, 1, MPI_INT, MPI_PROC_NULL, 0, comm, &request);
    MPI_Start(&request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Request_free(&request);
    MPI_Comm_free(&comm);
    MPI_Finalize();
    return 0;
}
