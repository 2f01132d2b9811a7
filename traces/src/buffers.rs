//! Where the functions of MPI have their data: which parameters name it, and what it is on this process.
//!
//! Most of it follows from the names of parameters, which the standard keeps to; what does not is said here.

use crate::function::{Class, Function, Length, mpi};

/// The parameters that name what a function sends, or what it receives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The buffer.
    pub buffer: usize,
    /// The number of elements, or those of each block; one element if there is none.
    pub count: Option<usize>,
    /// The datatype, or those of each block.
    pub datatype: usize,
    /// Where the blocks begin.
    pub displacements: Option<usize>,
    /// How many times the number of elements it is.
    pub times: Times,
    /// On which processes.
    pub whose: Whose,
}

/// How many blocks of `count` elements there are, one behind the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Times {
    /// One.
    #[default]
    Once,
    /// One for each member of the communicator; of the remote group, if it has two.
    Peers,
    /// One for each neighbour that sends to this process.
    InDegree,
    /// One for each neighbour that this process sends to.
    OutDegree,
    /// As many as this parameter says.
    Parameter(usize),
    /// As many as there are counts, each with a count of its own: all of them.
    Sum,
    /// The same, and of these the block of this process.
    Own,
}

/// On which processes a buffer means something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Whose {
    /// On all.
    #[default]
    All,
    /// On the root.
    Root,
    /// On those that get something from the root.
    Others,
    /// On all but the first.
    NotFirst,
}

/// What a function sends and receives; of most functions nothing.
#[must_use]
pub fn of(function: Function) -> (Option<Places>, Option<Places>) {
    let bare = function.small().name().trim_start_matches("MPI_").to_lowercase();
    match function.class() {
        Class::PointToPoint => point_to_point(function, &bare),
        Class::Partitioned => partitioned(function, &bare),
        Class::Collective => collective(function, &bare),
        Class::OneSided => one_sided(function, &bare),
        Class::Io => file(function, &bare),
        _ => (None, None),
    }
}

/// The parameters of these names, if the function has all of them.
fn named(function: Function, buffer: &str, count: &str, datatype: &str) -> Option<Places> {
    let at = |name: &str| function.parameter(name);
    Some(Places { buffer: at(buffer)?, count: Some(at(count)?), datatype: at(datatype)?, ..Places::default() })
}

fn point_to_point(function: Function, bare: &str) -> (Option<Places>, Option<Places>) {
    let plain = named(function, "buf", "count", "datatype");
    if bare.contains("sendrecv_replace") {
        (plain, plain)
    } else if bare.contains("sendrecv") {
        (named(function, "sendbuf", "sendcount", "sendtype"), named(function, "recvbuf", "recvcount", "recvtype"))
    } else if bare.contains("recv") {
        (None, plain)
    } else {
        (plain, None)
    }
}

/// What a partitioned send sends is there when MPI_Pready says so, bit by bit.
fn partitioned(function: Function, bare: &str) -> (Option<Places>, Option<Places>) {
    let times = function.parameter("partitions").map_or(Times::Once, Times::Parameter);
    let whole = named(function, "buf", "count", "datatype").map(|places| Places { times, ..places });
    (None, whole.filter(|_| bare.starts_with("precv")))
}

fn collective(function: Function, bare: &str) -> (Option<Places>, Option<Places>) {
    // "ialltoall_init" and "alltoall" are named alike.
    let bare = bare.strip_suffix("_init").unwrap_or(bare).trim_start_matches("ineighbor_").trim_start_matches("neighbor_");
    let kind = bare.strip_prefix('i').unwrap_or(bare).trim_end_matches(['v', 'w']);
    let is_among_neighbours = function.name().to_lowercase().contains("neighbor");
    if kind == "bcast" {
        let whole = named(function, "buffer", "count", "datatype");
        let of = |whose| whole.map(|places| Places { whose, ..places });
        return (of(Whose::Root), of(Whose::Others));
    }
    let (mut sent, mut received) = (side(function, "send"), side(function, "recv"));
    let (outwards, inwards) =
        if is_among_neighbours { (Times::OutDegree, Times::InDegree) } else { (Times::Peers, Times::Peers) };
    if let Some(sent) = &mut sent {
        match kind {
            "scatter" => (sent.times, sent.whose) = (outwards, Whose::Root),
            "alltoall" | "reduce_scatter_block" => sent.times = outwards,
            "reduce_scatter" => sent.times = Times::Sum,
            _ => {}
        }
    }
    if let Some(received) = &mut received {
        match kind {
            "gather" => (received.times, received.whose) = (inwards, Whose::Root),
            "allgather" | "alltoall" => received.times = inwards,
            "reduce" => received.whose = Whose::Root,
            "exscan" => received.whose = Whose::NotFirst,
            "reduce_scatter" => received.times = Times::Own,
            _ => {}
        }
    }
    (sent, received)
}

/// One side of a collective.
fn side(function: Function, side: &str) -> Option<Places> {
    let first = |names: &[String]| names.iter().find_map(|name| function.parameter(name));
    let own = |what: &str| format!("{side}{what}");
    Some(Places {
        buffer: function.parameter(&own("buf"))?,
        // The blocks of MPI_Reduce_scatter are those that are received.
        count: Some(first(&[own("count"), own("counts"), "count".into(), "recvcounts".into(), "recvcount".into()])?),
        datatype: first(&[own("type"), own("types"), "datatype".into()])?,
        displacements: first(&[format!("{}displs", &side[..1]), "displs".into()]).filter(|_| {
            // MPI_Gatherv and MPI_Scatterv have blocks on one side.
            function.parameter(&own("counts")).is_some()
        }),
        ..Places::default()
    })
}

/// What is fetched from windows is there after the synchronisation that completes it, or with the request.
fn one_sided(function: Function, bare: &str) -> (Option<Places>, Option<Places>) {
    let origin = named(function, "origin_addr", "origin_count", "origin_datatype");
    let one = |buffer: &str| {
        let (buffer, datatype) = (function.parameter(buffer)?, function.parameter("datatype")?);
        Some(Places { buffer, count: None, datatype, ..Places::default() })
    };
    match bare {
        "get" | "rget" => (None, origin),
        "put" | "rput" | "accumulate" | "raccumulate" => (origin, None),
        "get_accumulate" | "rget_accumulate" => (origin, named(function, "result_addr", "result_count", "result_datatype")),
        "fetch_and_op" | "compare_and_swap" => (one("origin_addr"), one("result_addr")),
        _ => (None, None),
    }
}

fn file(function: Function, bare: &str) -> (Option<Places>, Option<Places>) {
    let whole = named(function, "buf", "count", "datatype");
    if bare.contains("read") {
        (None, whole)
    } else if bare.contains("write") {
        (whole, None)
    } else {
        (None, None)
    }
}

/// Whether a function receives into the buffer that it sends, so that what it sent is gone when it returns.
#[must_use]
pub fn replaces(function: Function) -> bool {
    matches!(function.small(), mpi::SENDRECV_REPLACE | mpi::ISENDRECV_REPLACE)
}

/// Whether what a function receives is not there when it returns, though it makes no request: it is one-sided, or the first half of a
/// pair of functions.
#[must_use]
pub fn fetches_later(function: Function) -> bool {
    let is_one_sided = function.class() == Class::OneSided && !function.parameters().iter().any(|p| p.name == "request");
    is_one_sided || function.small().name().ends_with("_begin")
}

/// Whether a function completes what was fetched by functions that make no request.
#[must_use]
pub fn completes_fetches(function: Function) -> bool {
    let name = function.name();
    let of_window = ["fence", "complete", "flush", "flush_all", "flush_local", "flush_local_all", "unlock", "unlock_all"];
    name.strip_prefix("MPI_Win_").is_some_and(|what| of_window.contains(&what))
        || (name.starts_with("MPI_File_read") && name.ends_with("_end"))
}

/// How many blocks a parameter has, if it is an array.
#[must_use]
pub fn blocks(length: Length) -> Option<Times> {
    match length {
        Length::CommSize => Some(Times::Peers),
        Length::InDegree => Some(Times::InDegree),
        Length::OutDegree => Some(Times::OutDegree),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(function: Function) -> String {
        let of = |places: Option<Places>| {
            let Some(p) = places else { return "-".into() };
            let name = |at: usize| function.parameters()[at].name;
            let list: Vec<&str> =
                [Some(p.buffer), p.count, Some(p.datatype), p.displacements].into_iter().flatten().map(name).collect();
            format!("{} {:?} {:?}", list.join(" "), p.times, p.whose)
        };
        let (sent, received) = of_both(function, of);
        format!("{sent}; {received}")
    }

    fn of_both(function: Function, text: impl Fn(Option<Places>) -> String) -> (String, String) {
        let (sent, received) = super::of(function);
        (text(sent), text(received))
    }

    #[test]
    fn names_tell_where_the_data_is() {
        for (function, expected) in [
            (mpi::SEND, "buf count datatype Once All; -"),
            (mpi::MRECV_C, "-; buf count datatype Once All"),
            (mpi::PSEND_INIT, "-; -"),
            (mpi::PRECV_INIT, "-; buf count datatype Parameter(1) All"),
            (mpi::IBCAST, "buffer count datatype Once Root; buffer count datatype Once Others"),
            (mpi::GATHER, "sendbuf sendcount sendtype Once All; recvbuf recvcount recvtype Peers Root"),
            (mpi::IGATHERV, "sendbuf sendcount sendtype Once All; recvbuf recvcounts recvtype displs Peers Root"),
            (mpi::SCATTERV_INIT, "sendbuf sendcounts sendtype displs Peers Root; recvbuf recvcount recvtype Once All"),
            (mpi::ALLTOALLW_C, "sendbuf sendcounts sendtypes sdispls Peers All; recvbuf recvcounts recvtypes rdispls Peers All"),
            (
                mpi::INEIGHBOR_ALLTOALLV,
                "sendbuf sendcounts sendtype sdispls OutDegree All; recvbuf recvcounts recvtype rdispls InDegree All",
            ),
            (mpi::NEIGHBOR_ALLGATHER, "sendbuf sendcount sendtype Once All; recvbuf recvcount recvtype InDegree All"),
            (mpi::IALLREDUCE, "sendbuf count datatype Once All; recvbuf count datatype Once All"),
            (mpi::REDUCE_SCATTER, "sendbuf recvcounts datatype Sum All; recvbuf recvcounts datatype Own All"),
            (mpi::REDUCE_SCATTER_BLOCK, "sendbuf recvcount datatype Peers All; recvbuf recvcount datatype Once All"),
            (mpi::EXSCAN, "sendbuf count datatype Once All; recvbuf count datatype Once NotFirst"),
            (mpi::BARRIER, "-; -"),
            (mpi::COMPARE_AND_SWAP, "origin_addr datatype Once All; result_addr datatype Once All"),
            (mpi::FILE_IREAD_AT_ALL, "-; buf count datatype Once All"),
            (mpi::FILE_READ_ALL_END, "-; -"),
        ] {
            assert_eq!(text(function), expected, "{function}");
        }
    }
}
