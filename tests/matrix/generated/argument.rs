//! Calls of every chapter of the standard with an argument that none may have, and each with the nearest one that it may have.

use super::Variant;

/// A call of all ranks, of which there are four: its name, what is needed before it, the call, the rule that it breaks, and how it is right
/// together with what has to follow it then; nothing if that is no news.
type Mistake = (&'static str, &'static [&'static str], &'static str, &'static str, &'static [&'static str]);

const COMMUNICATORS: &[Mistake] = &[
    ("comm_dup_null", &[], "MPI_Comm_dup(comm, &comm);", "argument/communicator", &[]),
    ("comm_split_null", &[], "MPI_Comm_split(comm, 0, 0, &comm);", "argument/communicator", &[]),
    ("comm_size_null", &[], "MPI_Comm_size(comm, &size);", "argument/communicator", &[]),
    ("comm_free_null", &[], "MPI_Comm_free(&comm);", "argument/communicator", &[]),
    ("comm_create_null", &[], "MPI_Comm_create(comm, MPI_GROUP_EMPTY, &comm);", "argument/communicator", &[]),
    ("cart_create_null", &[], "MPI_Cart_create(comm, 1, &size, ones, 0, &comm);", "argument/communicator", &[]),
    ("win_allocate_null", &[], "MPI_Win_allocate(64, 1, MPI_INFO_NULL, comm, &memory, &window);", "argument/communicator", &[]),
    (
        "comm_dup_freed",
        &["MPI_Comm copy;", "MPI_Comm_dup(MPI_COMM_WORLD, &comm);", "copy = comm;", "MPI_Comm_free(&comm);"],
        "MPI_Comm_dup(copy, &comm);",
        "argument/handle",
        &[],
    ),
];

const NULL_HANDLES: &[Mistake] = &[
    ("comm_create_group_null", &[], "MPI_Comm_create(MPI_COMM_WORLD, group, &comm);", "argument/null", &[]),
    ("group_size_null", &[], "MPI_Group_size(group, &size);", "argument/null", &["MPI_Group_size(MPI_GROUP_EMPTY, &size);"]),
    ("group_incl_null", &[], "MPI_Group_incl(group, 1, places, &world);", "argument/null", &[]),
    ("win_fence_null", &[], "MPI_Win_fence(0, window);", "argument/null", &[]),
    ("win_lock_null", &[], "MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, window);", "argument/null", &[]),
    ("win_free_null", &[], "MPI_Win_free(&window);", "argument/null", &[]),
    ("put_null_window", &[], "MPI_Put(values, 1, MPI_INT, rank, 0, 1, MPI_INT, window);", "argument/null", &[]),
    ("allreduce_null_op", &[], "MPI_Allreduce(values, others, 1, MPI_INT, MPI_OP_NULL, MPI_COMM_WORLD);", "argument/null", &[]),
    ("op_free_null", &["MPI_Op op = MPI_OP_NULL;"], "MPI_Op_free(&op);", "argument/null", &[]),
    ("info_set_null", &["MPI_Info info = MPI_INFO_NULL;"], "MPI_Info_set(info, \"a\", \"b\");", "argument/null", &[]),
    ("info_free_null", &["MPI_Info info = MPI_INFO_NULL;"], "MPI_Info_free(&info);", "argument/null", &[]),
    (
        "errhandler_null",
        &[],
        "MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRHANDLER_NULL);",
        "argument/null",
        &["MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_ARE_FATAL);"],
    ),
    ("start_null", &[], "MPI_Start(&request);", "argument/null", &[]),
    ("cancel_null", &[], "MPI_Cancel(&request);", "argument/null", &[]),
    ("request_free_null", &[], "MPI_Request_free(&request);", "argument/null", &["MPI_Wait(&request, &status);"]),
    (
        "file_close_null",
        &["MPI_File file = MPI_FILE_NULL;", "MPI_File_set_errhandler(file, MPI_ERRORS_ARE_FATAL);"],
        "MPI_File_close(&file);",
        "argument/null",
        &[],
    ),
];

const DATATYPES: &[Mistake] = &[
    ("type_commit_null", &[], "MPI_Type_commit(&type);", "argument/datatype", &[]),
    ("type_free_null", &[], "MPI_Type_free(&type);", "argument/datatype", &[]),
    ("type_size_null", &[], "MPI_Type_size(type, &size);", "argument/datatype", &[]),
    ("type_contiguous_null", &[], "MPI_Type_contiguous(2, type, &type);", "argument/datatype", &[]),
    ("type_vector_null", &[], "MPI_Type_vector(2, 1, 2, type, &type);", "argument/datatype", &[]),
    (
        "type_struct_null",
        &["MPI_Aint at[2] = {0, 8};", "MPI_Datatype types[2] = {MPI_INT, MPI_DATATYPE_NULL};"],
        "MPI_Type_create_struct(2, ones, at, types, &type);",
        "argument/datatype",
        &[],
    ),
    (
        "type_contiguous_negative",
        &[],
        "MPI_Type_contiguous(-2, MPI_INT, &type);",
        "argument/count",
        &["MPI_Type_contiguous(0, MPI_INT, &type);", "MPI_Type_free(&type);"],
    ),
    (
        "type_vector_negative",
        &[],
        "MPI_Type_vector(2, -1, 2, MPI_INT, &type);",
        "argument/count",
        &["MPI_Type_vector(2, 1, -2, MPI_INT, &type);", "MPI_Type_free(&type);"],
    ),
    (
        "type_indexed_negative",
        &["int lengths[2] = {1, -1};"],
        "MPI_Type_indexed(2, lengths, places, MPI_INT, &type);",
        "argument/count",
        &["lengths[1] = 0;", "MPI_Type_indexed(2, lengths, places, MPI_INT, &type);", "MPI_Type_free(&type);"],
    ),
    (
        "pack_null",
        &["int at = 0;"],
        "MPI_Pack(values, 1, type, others, sizeof others, &at, MPI_COMM_WORLD);",
        "argument/datatype",
        &["MPI_Pack(values, 1, MPI_INT, others, sizeof others, &at, MPI_COMM_WORLD);"],
    ),
    (
        "pack_negative",
        &["int at = 0;"],
        "MPI_Pack(values, -1, MPI_INT, others, sizeof others, &at, MPI_COMM_WORLD);",
        "argument/count",
        &[],
    ),
    (
        "subarray_too_large",
        &["int whole[2] = {4, 4}, part[2] = {2, 5}, from[2] = {0, 0};"],
        "MPI_Type_create_subarray(2, whole, part, from, MPI_ORDER_C, MPI_INT, &type);",
        "argument/dimension",
        &[
            "part[1] = 4;",
            "MPI_Type_create_subarray(2, whole, part, from, MPI_ORDER_C, MPI_INT, &type);",
            "MPI_Type_free(&type);",
        ],
    ),
    (
        "subarray_beyond",
        &["int whole[2] = {4, 4}, part[2] = {2, 2}, from[2] = {0, 3};"],
        "MPI_Type_create_subarray(2, whole, part, from, MPI_ORDER_C, MPI_INT, &type);",
        "argument/dimension",
        &[
            "from[1] = 2;",
            "MPI_Type_create_subarray(2, whole, part, from, MPI_ORDER_C, MPI_INT, &type);",
            "MPI_Type_free(&type);",
        ],
    ),
];

const SHAPES: &[Mistake] = &[
    (
        "cart_create_large",
        &["int dims[2] = {3, 2};"],
        "MPI_Cart_create(MPI_COMM_WORLD, 2, dims, ones, 0, &comm);",
        "argument/dimension",
        &[
            "dims[0] = 2;",
            "MPI_Cart_create(MPI_COMM_WORLD, 2, dims, ones, 0, &comm);",
            "if (comm != MPI_COMM_NULL) MPI_Comm_free(&comm);",
        ],
    ),
    (
        "cart_create_empty",
        &["int dims[2] = {4, 0};"],
        "MPI_Cart_create(MPI_COMM_WORLD, 2, dims, ones, 0, &comm);",
        "argument/dimension",
        &[],
    ),
    (
        "dims_create_odd",
        &["int dims[2] = {2, 0};"],
        "MPI_Dims_create(3, 2, dims);",
        "argument/dimension",
        &["MPI_Dims_create(4, 2, dims);"],
    ),
    (
        "graph_create_large",
        &["int index[5] = {1, 2, 3, 4, 5}, edges[5] = {1, 2, 3, 4, 0};"],
        "MPI_Graph_create(MPI_COMM_WORLD, 5, index, edges, 0, &comm);",
        "argument/dimension",
        &["edges[3] = 0;", "MPI_Graph_create(MPI_COMM_WORLD, 4, index, edges, 0, &comm);", "MPI_Comm_free(&comm);"],
    ),
    (
        "graph_create_edge",
        &["int index[4] = {1, 2, 3, 4}, edges[4] = {1, 9, 3, 0};"],
        "MPI_Graph_create(MPI_COMM_WORLD, 4, index, edges, 0, &comm);",
        "argument/rank",
        &[],
    ),
    (
        "group_incl_rank",
        &["MPI_Comm_group(MPI_COMM_WORLD, &world);"],
        "MPI_Group_incl(world, 1, (int[]){9}, &group);",
        "argument/rank",
        &["MPI_Group_incl(world, 1, (int[]){2}, &group);", "MPI_Group_free(&group);", "MPI_Group_free(&world);"],
    ),
    (
        "cart_coords_rank",
        &["MPI_Cart_create(MPI_COMM_WORLD, 1, &size, ones, 0, &comm);"],
        "MPI_Cart_coords(comm, 9, 1, others);",
        "argument/rank",
        &["MPI_Cart_coords(comm, 2, 1, others);", "MPI_Comm_free(&comm);"],
    ),
    (
        "intercomm_create_leader",
        &["MPI_Comm_split(MPI_COMM_WORLD, rank == 0, 0, &comm);"],
        "MPI_Intercomm_create(comm, 9, MPI_COMM_WORLD, rank == 0, 0, &comm);",
        "argument/rank",
        &[],
    ),
];

const WINDOWS_AND_FILES: &[Mistake] = &[
    (
        "win_create_negative",
        &[],
        "MPI_Win_create(others, -8, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &window);",
        "argument/displacement",
        &["MPI_Win_create(NULL, 0, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &window);", "MPI_Win_free(&window);"],
    ),
    (
        "win_create_no_unit",
        &[],
        "MPI_Win_create(others, 8, 0, MPI_INFO_NULL, MPI_COMM_WORLD, &window);",
        "argument/displacement",
        &[],
    ),
    (
        "win_lock_rank",
        &["MPI_Win_create(others, 8, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &window);"],
        "MPI_Win_lock(MPI_LOCK_SHARED, 9, 0, window);",
        "argument/rank",
        &[],
    ),
    (
        "put_rank",
        &["MPI_Win_create(others, 8, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &window);", "MPI_Win_fence(0, window);"],
        "MPI_Put(values, 1, MPI_INT, 9, 0, 1, MPI_INT, window);",
        "argument/rank",
        &[
            "MPI_Put(values, 1, MPI_INT, MPI_PROC_NULL, 0, 1, MPI_INT, window);",
            "MPI_Win_fence(0, window);",
            "MPI_Win_free(&window);",
        ],
    ),
    (
        "put_negative",
        &["MPI_Win_create(others, 8, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &window);", "MPI_Win_fence(0, window);"],
        "MPI_Put(values, -1, MPI_INT, rank, 0, 1, MPI_INT, window);",
        "argument/count",
        &[],
    ),
    (
        "put_null_type",
        &["MPI_Win_create(others, 8, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &window);", "MPI_Win_fence(0, window);"],
        "MPI_Put(values, 1, MPI_INT, rank, 0, 1, type, window);",
        "argument/datatype",
        &[],
    ),
    (
        "put_nothing",
        &["MPI_Win_create(others, 8, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &window);", "MPI_Win_fence(0, window);"],
        "MPI_Put(NULL, 1, MPI_INT, rank, 0, 1, MPI_INT, window);",
        "argument/buffer",
        &[],
    ),
    (
        "file_write_negative",
        &[
            "MPI_File file;",
            "MPI_File_open(MPI_COMM_SELF, \"made\", MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL, &file);",
            "MPI_File_set_errhandler(file, MPI_ERRORS_ARE_FATAL);",
        ],
        "MPI_File_write_at(file, 0, values, -1, MPI_INT, &status);",
        "argument/count",
        &["MPI_File_write_at(file, 0, values, 0, MPI_INT, &status);", "MPI_File_close(&file);"],
    ),
    (
        "file_write_before",
        &[
            "MPI_File file;",
            "MPI_File_open(MPI_COMM_SELF, \"made\", MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL, &file);",
            "MPI_File_set_errhandler(file, MPI_ERRORS_ARE_FATAL);",
        ],
        "MPI_File_write_at(file, -8, values, 1, MPI_INT, &status);",
        "argument/displacement",
        &[],
    ),
    (
        "file_seek_before",
        &[
            "MPI_File file;",
            "MPI_File_open(MPI_COMM_SELF, \"made\", MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL, &file);",
            "MPI_File_set_errhandler(file, MPI_ERRORS_ARE_FATAL);",
        ],
        "MPI_File_seek(file, -8, MPI_SEEK_SET);",
        "argument/displacement",
        &["MPI_File_seek(file, 8, MPI_SEEK_SET);", "MPI_File_seek(file, -8, MPI_SEEK_CUR);", "MPI_File_close(&file);"],
    ),
    (
        "file_write_null_type",
        &[
            "MPI_File file;",
            "MPI_File_open(MPI_COMM_SELF, \"made\", MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL, &file);",
            "MPI_File_set_errhandler(file, MPI_ERRORS_ARE_FATAL);",
        ],
        "MPI_File_write(file, values, 1, type, &status);",
        "argument/datatype",
        &[],
    ),
];

const BUFFERS: &[Mistake] = &[
    (
        "bcast_nothing",
        &[],
        "MPI_Bcast(NULL, 2, MPI_INT, 0, MPI_COMM_WORLD);",
        "argument/buffer",
        &["MPI_Bcast(NULL, 0, MPI_INT, 0, MPI_COMM_WORLD);"],
    ),
    ("allreduce_nothing", &[], "MPI_Allreduce(values, NULL, 2, MPI_INT, MPI_SUM, MPI_COMM_WORLD);", "argument/buffer", &[]),
    (
        "gather_nothing",
        &[],
        "MPI_Gather(NULL, 1, MPI_INT, others, 1, MPI_INT, 0, MPI_COMM_WORLD);",
        "argument/buffer",
        &["MPI_Gather(values, 1, MPI_INT, rank == 0 ? others : NULL, 1, MPI_INT, 0, MPI_COMM_WORLD);"],
    ),
    (
        "send_nothing",
        &[],
        "MPI_Sendrecv(NULL, 1, MPI_INT, 0, 0, others, 1, MPI_INT, MPI_PROC_NULL, 0, MPI_COMM_WORLD, &status);",
        "argument/buffer",
        &["MPI_Sendrecv(NULL, 0, MPI_INT, (rank + 1) % 4, 0, NULL, 0, MPI_INT, (rank + 3) % 4, 0, MPI_COMM_WORLD, &status);"],
    ),
    (
        "allgatherv_negative",
        &["int counts[4] = {1, -1, 1, 1};"],
        "MPI_Allgatherv(values, 1, MPI_INT, others, counts, places, MPI_INT, MPI_COMM_WORLD);",
        "argument/count",
        &[],
    ),
    ("bcast_in_place", &[], "MPI_Bcast(MPI_IN_PLACE, 1, MPI_INT, 0, MPI_COMM_WORLD);", "argument/in-place", &[]),
    ("send_in_place", &[], "MPI_Ssend(MPI_IN_PLACE, 1, MPI_INT, (rank + 1) % 4, 0, MPI_COMM_WORLD);", "argument/in-place", &[]),
    (
        "allreduce_in_place",
        &[],
        "MPI_Allreduce(values, MPI_IN_PLACE, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);",
        "argument/in-place",
        &["MPI_Allreduce(MPI_IN_PLACE, values, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);"],
    ),
    (
        "scatter_in_place",
        &[],
        "MPI_Scatter(MPI_IN_PLACE, 1, MPI_INT, others, 1, MPI_INT, 0, MPI_COMM_SELF);",
        "argument/in-place",
        &[],
    ),
    (
        "put_in_place",
        &["MPI_Win_create(others, 8, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &window);", "MPI_Win_fence(0, window);"],
        "MPI_Put(MPI_IN_PLACE, 1, MPI_INT, rank, 0, 1, MPI_INT, window);",
        "argument/in-place",
        &[],
    ),
];

/// Each of them, wrong and right.
pub fn variants() -> Vec<Variant> {
    let all = [COMMUNICATORS, NULL_HANDLES, DATATYPES, SHAPES, WINDOWS_AND_FILES, BUFFERS];
    all.into_iter().flatten().flat_map(|mistake| [Some(wrong(*mistake)), right(*mistake)].into_iter().flatten()).collect()
}

fn lines(list: &[&str]) -> Vec<String> {
    list.iter().map(|line| (*line).to_owned()).collect()
}

/// With the argument that no call may have. Some libraries refuse it, some go on, with garbage or in a hang, and some crash.
fn wrong((name, before, call, rule, _): Mistake) -> Variant {
    let mut body = lines(before);
    body.push(format!("{call} // <- {rule}"));
    // Whatever comes of it: nothing that is left behind is of interest.
    body.push("exit(0);".into());
    Variant {
        name: format!("argument_{name}"),
        about: format!("{} is wrong here.", call.trim_end_matches(';')),
        expect: vec![format!("error {rule}")],
        ends: "anyhow",
        needs: None,
        body,
    }
}

/// With the nearest one that it may have.
fn right((name, before, _, _, right): Mistake) -> Option<Variant> {
    let mut body = lines(before);
    body.extend(lines(right));
    (!right.is_empty()).then(|| Variant {
        name: format!("argument_{name}_not"),
        about: format!(
            "{} is right.",
            right.iter().find(|line| line.starts_with("MPI_")).map_or("it", |line| line.trim_end_matches(';'))
        ),
        expect: Vec::new(),
        ends: "ok",
        needs: None,
        body,
    })
}
