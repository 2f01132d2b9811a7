// Some two hundred functions of MPI, each called rightly on four ranks. What is recorded of it is the same on every library.
// expect: nothing
#include "require.h"
#include <mpi.h>
#include <stdlib.h>
#include <string.h>

static int rank, size, left, right;

static void sum(void *in, void *inout, int *count, MPI_Datatype *type) {
    (void)type;
    for (int i = 0; i < *count; i++)
        ((int *)inout)[i] += ((int *)in)[i];
}

static void point_to_point(void) {
    int mine = rank, theirs = -1, flag, index, count, indices[2];
    MPI_Status status, statuses[2];
    MPI_Request requests[2];
    MPI_Message message;
    char *room = malloc(4096);
    MPI_Buffer_attach(room, 4096);
    MPI_Irecv(&theirs, 1, MPI_INT, left, 1, MPI_COMM_WORLD, &requests[0]);
    MPI_Send(&mine, 1, MPI_INT, right, 1, MPI_COMM_WORLD);
    MPI_Wait(&requests[0], &status);
    require(theirs == left);
    MPI_Get_count(&status, MPI_INT, &count);
    MPI_Get_elements(&status, MPI_INT, &count);
    require(count == 1);
    MPI_Irecv(&theirs, 1, MPI_INT, left, 2, MPI_COMM_WORLD, &requests[0]);
    MPI_Isend(&mine, 1, MPI_INT, right, 2, MPI_COMM_WORLD, &requests[1]);
    MPI_Waitall(2, requests, statuses);
    MPI_Irecv(&theirs, 1, MPI_INT, left, 3, MPI_COMM_WORLD, &requests[0]);
    MPI_Ssend(&mine, 1, MPI_INT, right, 3, MPI_COMM_WORLD);
    MPI_Waitany(1, requests, &index, MPI_STATUS_IGNORE);
    MPI_Irecv(&theirs, 1, MPI_INT, left, 4, MPI_COMM_WORLD, &requests[0]);
    MPI_Bsend(&mine, 1, MPI_INT, right, 4, MPI_COMM_WORLD);
    MPI_Waitsome(1, requests, &count, indices, MPI_STATUSES_IGNORE);
    MPI_Irecv(&theirs, 1, MPI_INT, left, 5, MPI_COMM_WORLD, &requests[0]);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Rsend(&mine, 1, MPI_INT, right, 5, MPI_COMM_WORLD);
    for (flag = 0; !flag;)
        MPI_Test(&requests[0], &flag, &status);
    MPI_Irecv(&theirs, 1, MPI_INT, left, 6, MPI_COMM_WORLD, &requests[0]);
    MPI_Issend(&mine, 1, MPI_INT, right, 6, MPI_COMM_WORLD, &requests[1]);
    for (flag = 0; !flag;)
        MPI_Testall(2, requests, &flag, MPI_STATUSES_IGNORE);
    MPI_Irecv(&theirs, 1, MPI_INT, left, 7, MPI_COMM_WORLD, &requests[0]);
    MPI_Ibsend(&mine, 1, MPI_INT, right, 7, MPI_COMM_WORLD, &requests[1]);
    MPI_Wait(&requests[1], MPI_STATUS_IGNORE);
    for (flag = 0; !flag;)
        MPI_Testany(1, requests, &index, &flag, MPI_STATUS_IGNORE);
    MPI_Irecv(&theirs, 1, MPI_INT, left, 8, MPI_COMM_WORLD, &requests[0]);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Irsend(&mine, 1, MPI_INT, right, 8, MPI_COMM_WORLD, &requests[1]);
    MPI_Wait(&requests[1], MPI_STATUS_IGNORE);
    for (count = 0; count == 0;)
        MPI_Testsome(1, requests, &count, indices, MPI_STATUSES_IGNORE);
    MPI_Sendrecv(&mine, 1, MPI_INT, right, 9, &theirs, 1, MPI_INT, left, 9, MPI_COMM_WORLD, &status);
    MPI_Sendrecv_replace(&mine, 1, MPI_INT, right, 10, left, 10, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    mine = rank;
    MPI_Isend(&mine, 1, MPI_INT, right, 11, MPI_COMM_WORLD, &requests[0]);
    MPI_Probe(left, 11, MPI_COMM_WORLD, &status);
    MPI_Recv(&theirs, 1, MPI_INT, left, 11, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Wait(&requests[0], MPI_STATUS_IGNORE);
    MPI_Isend(&mine, 1, MPI_INT, right, 12, MPI_COMM_WORLD, &requests[0]);
    for (flag = 0; !flag;)
        MPI_Iprobe(left, 12, MPI_COMM_WORLD, &flag, &status);
    MPI_Recv(&theirs, 1, MPI_INT, left, 12, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Wait(&requests[0], MPI_STATUS_IGNORE);
    MPI_Isend(&mine, 1, MPI_INT, right, 13, MPI_COMM_WORLD, &requests[0]);
    MPI_Mprobe(left, 13, MPI_COMM_WORLD, &message, &status);
    MPI_Mrecv(&theirs, 1, MPI_INT, &message, MPI_STATUS_IGNORE);
    MPI_Wait(&requests[0], MPI_STATUS_IGNORE);
    MPI_Isend(&mine, 1, MPI_INT, right, 14, MPI_COMM_WORLD, &requests[0]);
    for (flag = 0; !flag;)
        MPI_Improbe(left, 14, MPI_COMM_WORLD, &flag, &message, &status);
    MPI_Imrecv(&theirs, 1, MPI_INT, &message, &requests[1]);
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    require(theirs == left);
    MPI_Irecv(&theirs, 1, MPI_INT, left, 15, MPI_COMM_WORLD, &requests[0]);
    MPI_Cancel(&requests[0]);
    MPI_Wait(&requests[0], &status);
    MPI_Test_cancelled(&status, &flag);
    require(flag);
    MPI_Buffer_detach(&room, &count);
    free(room);
}

static void persistent(void) {
    int mine = rank, theirs, size_of_buffer, flag;
    MPI_Request requests[5];
    MPI_Pack_size(1, MPI_INT, MPI_COMM_WORLD, &size_of_buffer);
    size_of_buffer += MPI_BSEND_OVERHEAD;
    char *room = malloc((size_t)size_of_buffer);
    MPI_Buffer_attach(room, size_of_buffer);
    MPI_Recv_init(&theirs, 1, MPI_INT, left, 20, MPI_COMM_WORLD, &requests[0]);
    MPI_Send_init(&mine, 1, MPI_INT, right, 20, MPI_COMM_WORLD, &requests[1]);
    MPI_Ssend_init(&mine, 1, MPI_INT, right, 20, MPI_COMM_WORLD, &requests[2]);
    MPI_Bsend_init(&mine, 1, MPI_INT, right, 20, MPI_COMM_WORLD, &requests[3]);
    MPI_Rsend_init(&mine, 1, MPI_INT, right, 20, MPI_COMM_WORLD, &requests[4]);
    MPI_Startall(2, requests);
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    for (int kind = 2; kind < 5; kind++) {
        MPI_Start(&requests[0]);
        MPI_Barrier(MPI_COMM_WORLD);
        MPI_Start(&requests[kind]);
        MPI_Wait(&requests[kind], MPI_STATUS_IGNORE);
        MPI_Wait(&requests[0], MPI_STATUS_IGNORE);
    }
    require(theirs == left);
    MPI_Request_get_status(requests[0], &flag, MPI_STATUS_IGNORE);
    for (int kind = 0; kind < 5; kind++)
        MPI_Request_free(&requests[kind]);
    MPI_Buffer_detach(&room, &size_of_buffer);
    free(room);
}

static void collectives(void) {
    int one = 1, all[4] = {0}, counts[4] = {1, 1, 1, 1}, places[4] = {0, 1, 2, 3}, bytes[4] = {0, 4, 8, 12}, out[4];
    MPI_Datatype types[4] = {MPI_INT, MPI_INT, MPI_INT, MPI_INT};
    MPI_Request requests[17];
    MPI_Bcast(&one, 1, MPI_INT, 0, MPI_COMM_WORLD);
    MPI_Gather(&one, 1, MPI_INT, all, 1, MPI_INT, 1, MPI_COMM_WORLD);
    MPI_Gatherv(&one, 1, MPI_INT, all, counts, places, MPI_INT, 2, MPI_COMM_WORLD);
    MPI_Scatter(all, 1, MPI_INT, &one, 1, MPI_INT, 1, MPI_COMM_WORLD);
    MPI_Scatterv(all, counts, places, MPI_INT, &one, 1, MPI_INT, 2, MPI_COMM_WORLD);
    one = 1;
    MPI_Allgather(&one, 1, MPI_INT, all, 1, MPI_INT, MPI_COMM_WORLD);
    MPI_Allgatherv(&one, 1, MPI_INT, all, counts, places, MPI_INT, MPI_COMM_WORLD);
    MPI_Alltoall(all, 1, MPI_INT, out, 1, MPI_INT, MPI_COMM_WORLD);
    MPI_Alltoallv(all, counts, places, MPI_INT, out, counts, places, MPI_INT, MPI_COMM_WORLD);
    MPI_Alltoallw(all, counts, bytes, types, out, counts, bytes, types, MPI_COMM_WORLD);
    MPI_Reduce(all, out, 4, MPI_INT, MPI_SUM, 3, MPI_COMM_WORLD);
    MPI_Allreduce(all, out, 4, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    MPI_Allreduce(MPI_IN_PLACE, out, 4, MPI_INT, MPI_BOR, MPI_COMM_WORLD);
    MPI_Reduce_local(all, out, 4, MPI_INT, MPI_MIN);
    MPI_Reduce_scatter(all, out, counts, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Reduce_scatter_block(all, out, 1, MPI_INT, MPI_PROD, MPI_COMM_WORLD);
    MPI_Scan(all, out, 4, MPI_INT, MPI_LAND, MPI_COMM_WORLD);
    MPI_Exscan(all, out, 4, MPI_INT, MPI_BXOR, MPI_COMM_WORLD);
    MPI_Op op;
    int commutes;
    MPI_Op_create(sum, 1, &op);
    MPI_Op_commutative(op, &commutes);
    MPI_Allreduce(&one, out, 1, MPI_INT, op, MPI_COMM_WORLD);
    require(out[0] == size && commutes);
    int o[17][4], *r = all;
    MPI_Ibarrier(MPI_COMM_WORLD, &requests[0]);
    memset(o, 0, sizeof o);
    MPI_Ibcast(o[1], 1, MPI_INT, 0, MPI_COMM_WORLD, &requests[1]);
    MPI_Igather(&one, 1, MPI_INT, o[2], 1, MPI_INT, 1, MPI_COMM_WORLD, &requests[2]);
    MPI_Igatherv(&one, 1, MPI_INT, o[3], counts, places, MPI_INT, 2, MPI_COMM_WORLD, &requests[3]);
    MPI_Iscatter(r, 1, MPI_INT, o[4], 1, MPI_INT, 3, MPI_COMM_WORLD, &requests[4]);
    MPI_Iscatterv(r, counts, places, MPI_INT, o[5], 1, MPI_INT, 0, MPI_COMM_WORLD, &requests[5]);
    MPI_Iallgather(&one, 1, MPI_INT, o[6], 1, MPI_INT, MPI_COMM_WORLD, &requests[6]);
    MPI_Iallgatherv(&one, 1, MPI_INT, o[7], counts, places, MPI_INT, MPI_COMM_WORLD, &requests[7]);
    MPI_Ialltoall(r, 1, MPI_INT, o[8], 1, MPI_INT, MPI_COMM_WORLD, &requests[8]);
    MPI_Ialltoallv(r, counts, places, MPI_INT, o[9], counts, places, MPI_INT, MPI_COMM_WORLD, &requests[9]);
    MPI_Ialltoallw(r, counts, bytes, types, o[10], counts, bytes, types, MPI_COMM_WORLD, &requests[10]);
    MPI_Ireduce(r, o[11], 4, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD, &requests[11]);
    MPI_Iallreduce(r, o[12], 4, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &requests[12]);
    MPI_Ireduce_scatter(r, o[13], counts, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &requests[13]);
    MPI_Ireduce_scatter_block(r, o[14], 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &requests[14]);
    MPI_Iscan(r, o[15], 4, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &requests[15]);
    MPI_Iexscan(r, o[16], 4, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &requests[16]);
    MPI_Waitall(17, requests, MPI_STATUSES_IGNORE);
    MPI_Op_free(&op);
}

static void groups_and_communicators(void) {
    MPI_Group world, even, rest, both, none;
    MPI_Comm copy, half, same, part, node, inter, merged, later;
    MPI_Request request;
    int evens[2] = {0, 2}, range[1][3] = {{0, 3, 1}}, others[2], result, n, key, flag;
    char name[MPI_MAX_OBJECT_NAME];
    void *value;
    MPI_Comm_group(MPI_COMM_WORLD, &world);
    MPI_Group_incl(world, 2, evens, &even);
    MPI_Group_excl(world, 2, evens, &rest);
    MPI_Group_union(even, rest, &both);
    MPI_Group_intersection(even, rest, &none);
    MPI_Group_compare(world, both, &result);
    MPI_Group_size(even, &n);
    MPI_Group_rank(world, &n);
    MPI_Group_translate_ranks(even, 2, (int[]){0, 1}, world, others);
    require(others[1] == 2);
    MPI_Group_free(&both);
    MPI_Group_range_incl(world, 1, range, &both);
    MPI_Group_free(&both);
    MPI_Group_range_excl(world, 1, range, &both);
    MPI_Group_difference(world, even, &both);
    MPI_Comm_dup(MPI_COMM_WORLD, &copy);
    MPI_Comm_idup(MPI_COMM_WORLD, &later, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Comm_split(copy, rank % 2, rank, &half);
    MPI_Comm_create(MPI_COMM_WORLD, even, &part);
    MPI_Comm_create_group(MPI_COMM_WORLD, world, 7, &same);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
    MPI_Comm_compare(MPI_COMM_WORLD, copy, &result);
    MPI_Comm_set_name(copy, "copy");
    MPI_Comm_get_name(copy, name, &n);
    MPI_Comm_test_inter(copy, &result);
    MPI_Intercomm_create(half, 0, MPI_COMM_WORLD, rank % 2 ? 0 : 1, 3, &inter);
    MPI_Comm_remote_size(inter, &n);
    MPI_Comm_remote_group(inter, &none);
    MPI_Intercomm_merge(inter, rank % 2, &merged);
    MPI_Allreduce(&rank, &n, 1, MPI_INT, MPI_SUM, merged);
    require(n == 6);
    MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, MPI_COMM_NULL_DELETE_FN, &key, NULL);
    MPI_Comm_set_attr(copy, key, &rank);
    MPI_Comm_get_attr(copy, key, &value, &flag);
    require(flag && value == &rank);
    MPI_Comm_delete_attr(copy, key);
    MPI_Comm_free_keyval(&key);
    MPI_Comm_free(&copy);
    MPI_Comm_free(&later);
    MPI_Comm_free(&half);
    if (part != MPI_COMM_NULL)
        MPI_Comm_free(&part);
    MPI_Comm_free(&same);
    MPI_Comm_free(&node);
    MPI_Comm_free(&inter);
    MPI_Comm_free(&merged);
    MPI_Group_free(&world);
    MPI_Group_free(&even);
    MPI_Group_free(&rest);
    MPI_Group_free(&none);
    MPI_Group_free(&both);
}

static void topologies(void) {
    int dims[2] = {0, 0}, periods[2] = {1, 0}, place[2], source, target, n, status, in, outs[4], weighted;
    int indices[4] = {2, 4, 6, 8}, edges[8] = {3, 1, 0, 2, 1, 3, 2, 0};
    MPI_Comm grid, row, graph, ring;
    MPI_Dims_create(size, 2, dims);
    MPI_Cart_create(MPI_COMM_WORLD, 2, dims, periods, 0, &grid);
    MPI_Cartdim_get(grid, &n);
    MPI_Cart_get(grid, 2, dims, periods, place);
    MPI_Cart_rank(grid, place, &n);
    MPI_Cart_coords(grid, n, 2, place);
    MPI_Cart_shift(grid, 1, 1, &source, &target);
    MPI_Sendrecv(&rank, 1, MPI_INT, target, 0, &n, 1, MPI_INT, source, 0, grid, MPI_STATUS_IGNORE);
    MPI_Cart_sub(grid, (int[]){0, 1}, &row);
    MPI_Topo_test(grid, &status);
    MPI_Graph_create(MPI_COMM_WORLD, size, indices, edges, 0, &graph);
    MPI_Graphdims_get(graph, &n, &status);
    MPI_Graph_neighbors_count(graph, rank, &n);
    MPI_Graph_neighbors(graph, rank, n, outs);
    MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, 1, &left, MPI_UNWEIGHTED, 1, &right, MPI_UNWEIGHTED, MPI_INFO_NULL, 0, &ring);
    MPI_Dist_graph_neighbors_count(ring, &in, &n, &weighted);
    MPI_Neighbor_allgather(&rank, 1, MPI_INT, outs, 1, MPI_INT, ring);
    require(outs[0] == left);
    MPI_Neighbor_alltoall(&rank, 1, MPI_INT, outs, 1, MPI_INT, ring);
    MPI_Comm_free(&row);
    MPI_Comm_free(&grid);
    MPI_Comm_free(&graph);
    MPI_Comm_free(&ring);
}

static void datatypes(void) {
    MPI_Datatype types[12];
    int lengths[2] = {1, 2}, places[2] = {0, 3}, sizes[2] = {4, 4}, parts[2] = {2, 2}, starts[2] = {1, 1}, n, position = 0;
    MPI_Aint bytes[2] = {0, 16}, low, extent, address;
    char packed[64];
    MPI_Type_contiguous(3, MPI_INT, &types[0]);
    MPI_Type_vector(2, 1, 2, MPI_INT, &types[1]);
    MPI_Type_create_hvector(2, 1, 8, MPI_INT, &types[2]);
    MPI_Type_indexed(2, lengths, places, MPI_INT, &types[3]);
    MPI_Type_create_hindexed(2, lengths, bytes, MPI_INT, &types[4]);
    MPI_Type_create_indexed_block(2, 1, places, MPI_INT, &types[5]);
    MPI_Type_create_struct(2, lengths, bytes, (MPI_Datatype[]){MPI_INT, MPI_FLOAT}, &types[6]);
    MPI_Type_create_subarray(2, sizes, parts, starts, MPI_ORDER_C, MPI_INT, &types[7]);
    MPI_Type_create_resized(MPI_INT, 0, 16, &types[8]);
    MPI_Type_dup(MPI_INT, &types[9]);
    MPI_Type_create_hindexed_block(2, 1, bytes, MPI_INT, &types[10]);
    MPI_Type_contiguous(2, types[1], &types[11]);
    for (int i = 0; i < 12; i++)
        MPI_Type_commit(&types[i]);
    MPI_Type_size(types[3], &n);
    MPI_Type_get_extent(types[8], &low, &extent);
    MPI_Type_get_true_extent(types[8], &low, &extent);
    MPI_Get_address(packed, &address);
    int grid[16] = {0}, flat[4];
    MPI_Sendrecv(grid, 1, types[7], right, 30, flat, 4, MPI_INT, left, 30, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Pack(&n, 1, MPI_INT, packed, 64, &position, MPI_COMM_WORLD);
    MPI_Bcast(packed, position, MPI_PACKED, 0, MPI_COMM_WORLD);
    position = 0;
    MPI_Unpack(packed, 64, &position, &n, 1, MPI_INT, MPI_COMM_WORLD);
    for (int i = 0; i < 12; i++)
        MPI_Type_free(&types[i]);
}

static void handler(MPI_Comm *comm, int *code, ...) {
    (void)comm;
    (void)code;
}

static void the_rest(void) {
    MPI_Errhandler own, old;
    MPI_Info info;
    MPI_Win window;
    int n, memory[4] = {0}, length, flag;
    char text[MPI_MAX_ERROR_STRING], value[16];
    MPI_Comm_create_errhandler(handler, &own);
    MPI_Comm_get_errhandler(MPI_COMM_SELF, &old);
    MPI_Comm_set_errhandler(MPI_COMM_SELF, own);
    MPI_Comm_set_errhandler(MPI_COMM_SELF, old);
    MPI_Errhandler_free(&own);
    MPI_Errhandler_free(&old);
    MPI_Error_class(MPI_SUCCESS, &n);
    MPI_Error_string(MPI_SUCCESS, text, &length);
    MPI_Info_create(&info);
    MPI_Info_set(info, "colour", "red");
    MPI_Info_get(info, "colour", 15, value, &flag);
    MPI_Info_get_nkeys(info, &n);
    MPI_Info_delete(info, "colour");
    MPI_Win_create(memory, sizeof memory, sizeof(int), info, MPI_COMM_WORLD, &window);
    MPI_Info_free(&info);
    MPI_Win_fence(0, window);
    MPI_Put(&rank, 1, MPI_INT, right, 0, 1, MPI_INT, window);
    MPI_Win_fence(0, window);
    MPI_Get(&n, 1, MPI_INT, right, 0, 1, MPI_INT, window);
    MPI_Win_fence(0, window);
    require(n == rank);
    MPI_Accumulate(&rank, 1, MPI_INT, right, 1, 1, MPI_INT, MPI_SUM, window);
    MPI_Win_fence(0, window);
    MPI_Win_lock(MPI_LOCK_SHARED, right, 0, window);
    MPI_Win_unlock(right, window);
    MPI_Win_free(&window);
    MPI_Get_processor_name(text, &length);
    MPI_Pcontrol(1);
    require(MPI_Wtime() >= 0 && MPI_Wtick() > 0);
}

int main(int argc, char **argv) {
    int level, flag;
    MPI_Initialized(&flag);
    MPI_Init_thread(&argc, &argv, MPI_THREAD_SINGLE, &level);
    MPI_Query_thread(&level);
    MPI_Is_thread_main(&flag);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    left = (rank + size - 1) % size;
    right = (rank + 1) % size;
    point_to_point();
    persistent();
    collectives();
    groups_and_communicators();
    topologies();
    datatypes();
    the_rest();
    MPI_Finalized(&flag);
    MPI_Finalize();
    return 0;
}
