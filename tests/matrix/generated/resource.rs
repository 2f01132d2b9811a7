//! Everything that a program makes and has to free: freed, forgotten, and freed twice.

use super::Variant;

/// What is made: its name, the lines that make it, the last of which a finding names, the line that frees it, and the rule.
type Resource = (&'static str, &'static [&'static str], &'static str, &'static str);

/// All kinds of things.
const RESOURCES: [Resource; 16] = [
    ("comm_dup", &["MPI_Comm_dup(MPI_COMM_WORLD, &comm);"], "MPI_Comm_free(&comm);", "leak/communicator"),
    ("comm_split", &["MPI_Comm_split(MPI_COMM_WORLD, rank % 2, 0, &comm);"], "MPI_Comm_free(&comm);", "leak/communicator"),
    (
        "comm_split_type",
        &["MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &comm);"],
        "MPI_Comm_free(&comm);",
        "leak/communicator",
    ),
    (
        "cart_create",
        &["MPI_Cart_create(MPI_COMM_WORLD, 1, &size, ones, 0, &comm);"],
        "MPI_Comm_free(&comm);",
        "leak/communicator",
    ),
    ("type_contiguous", &["MPI_Type_contiguous(2, MPI_INT, &type);"], "MPI_Type_free(&type);", "leak/datatype"),
    ("type_vector", &["MPI_Type_vector(2, 1, 2, MPI_INT, &type);"], "MPI_Type_free(&type);", "leak/datatype"),
    ("type_indexed", &["MPI_Type_indexed(4, ones, places, MPI_INT, &type);"], "MPI_Type_free(&type);", "leak/datatype"),
    ("type_dup", &["MPI_Type_dup(MPI_INT, &type);"], "MPI_Type_free(&type);", "leak/datatype"),
    ("type_resized", &["MPI_Type_create_resized(MPI_INT, 0, 16, &type);"], "MPI_Type_free(&type);", "leak/datatype"),
    ("comm_group", &["MPI_Comm_group(MPI_COMM_WORLD, &group);"], "MPI_Group_free(&group);", "leak/group"),
    (
        "win_create",
        &["MPI_Win_create(others, sizeof others, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &window);"],
        "MPI_Win_free(&window);",
        "leak/window",
    ),
    (
        "win_allocate",
        &["MPI_Win_allocate(64, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &memory, &window);"],
        "MPI_Win_free(&window);",
        "leak/window",
    ),
    ("info_create", &["MPI_Info info;", "MPI_Info_create(&info);"], "MPI_Info_free(&info);", "leak/info"),
    ("info_dup", &["MPI_Info info;", "MPI_Info_dup(MPI_INFO_ENV, &info);"], "MPI_Info_free(&info);", "leak/info"),
    (
        "file_open",
        &["MPI_File file;", "MPI_File_open(MPI_COMM_WORLD, \"made\", MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL, &file);"],
        "MPI_File_close(&file);",
        "leak/file",
    ),
    (
        "send_init",
        &["MPI_Send_init(values, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, &request);"],
        "MPI_Request_free(&request);",
        "request/never-started",
    ),
];

/// Each of them, freed and forgotten.
pub fn variants() -> Vec<Variant> {
    let variant = |(name, make, free, rule): Resource, is_freed: bool| {
        let mut body: Vec<String> = make.iter().map(|line| (*line).to_owned()).collect();
        let expect = if is_freed { Vec::new() } else { vec![format!("warning {rule}")] };
        match (is_freed, body.last_mut()) {
            (true, _) => body.push(free.to_owned()),
            (false, Some(last)) => *last += &format!(" // <- {rule}"),
            (false, None) => {}
        }
        let what = if is_freed { "freed" } else { "forgotten" };
        Variant {
            name: format!("resource_{name}_{what}"),
            about: format!("{name}: what it makes is {what}."),
            expect,
            // Libraries may fail of what is left to them: MPICH 4.0 does of memory that a window has allocated.
            ends: if is_freed { "ok" } else { "by itself" },
            needs: None,
            body,
        }
    };
    // A request that is freed unstarted is a finding all the same.
    let of_all = |is_freed: bool| {
        RESOURCES
            .into_iter()
            .filter(move |(_, _, _, rule): &Resource| !is_freed || rule.starts_with("leak"))
            .map(move |resource| (resource, is_freed))
    };
    [true, false].into_iter().flat_map(of_all).map(|(resource, is_freed)| variant(resource, is_freed)).collect()
}
