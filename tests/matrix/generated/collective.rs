//! Every collective operation of data, blocking, nonblocking and persistent, with the mistakes that rank 3 can make in it, or all ranks.

use super::Variant;

/// An operation, and its arguments: `$N`, `$T`, `$R`, `$O` and `$C` stand for count, datatype, root, operation and communicator.
const OPERATIONS: [(&str, &str); 17] = [
    ("Barrier", "$C"),
    ("Bcast", "values, $N, $T, $R, $C"),
    ("Gather", "values, $N, $T, others, $N, $T, $R, $C"),
    ("Gatherv", "values, $N, $T, others, ones, places, $T, $R, $C"),
    ("Scatter", "values, $N, $T, others, $N, $T, $R, $C"),
    ("Scatterv", "values, ones, places, $T, others, $N, $T, $R, $C"),
    ("Allgather", "values, $N, $T, others, $N, $T, $C"),
    ("Allgatherv", "values, $N, $T, others, ones, places, $T, $C"),
    ("Alltoall", "values, $N, $T, others, $N, $T, $C"),
    ("Alltoallv", "values, ones, places, $T, others, ones, places, $T, $C"),
    ("Reduce", "values, others, $N, $T, $O, $R, $C"),
    ("Allreduce", "values, others, $N, $T, $O, $C"),
    ("Reduce_scatter", "values, others, ones, $T, $O, $C"),
    ("Reduce_scatter_block", "values, others, $N, $T, $O, $C"),
    ("Scan", "values, others, $N, $T, $O, $C"),
    ("Exscan", "values, others, $N, $T, $O, $C"),
    ("Neighbor_alltoall", "values, $N, $T, others, $N, $T, $C"),
];

/// How an operation is begun and completed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Blocking,
    Nonblocking,
    Persistent,
}

/// Which arguments are wrong: what stands for `$N`, `$T`, `$R`, `$O` and `$C`.
type Arguments = [(&'static str, &'static str); 1];

/// What rank 3 does otherwise, and the rule that it breaks.
const OF_ONE: [(&str, &str, Arguments, &str); 4] = [
    ("root", "Rank 3 has another root.", [("$R", "1")], "collective/root"),
    ("operation", "Rank 3 has another operation.", [("$O", "MPI_MAX")], "collective/operation"),
    ("type", "Rank 3 has another type.", [("$T", "MPI_FLOAT")], "collective/type"),
    ("count", "Rank 3 has another count.", [("$N", "2")], "collective/type"),
];

/// What all ranks do wrong.
const OF_ALL: [(&str, &str, Arguments, &str); 6] = [
    ("argument_root", "There is no such root.", [("$R", "size")], "argument/rank"),
    ("argument_count", "The count is negative.", [("$N", "-1")], "argument/count"),
    ("argument_no_datatype", "There is no datatype.", [("$T", "MPI_DATATYPE_NULL")], "argument/datatype"),
    ("argument_operation", "The operation does not fit the type.", [("$O", "MPI_BAND")], "argument/operation"),
    ("argument_no_communicator", "There is no communicator.", [("$C", "MPI_COMM_NULL")], "argument/communicator"),
    ("argument_freed_communicator", "The communicator was freed.", [("$C", "comm")], "argument/handle"),
];

const FREED: &str = "MPI_Comm_dup(MPI_COMM_WORLD, &comm); MPI_Comm old = comm; MPI_Comm_free(&comm); comm = old;";
/// Every rank has every rank for a neighbour.
const NEIGHBOURS: &str =
    "MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, 4, places, ones, 4, places, ones, MPI_INFO_NULL, 0, &comm);";

impl Form {
    const ALL: [Form; 3] = [Form::Blocking, Form::Nonblocking, Form::Persistent];

    /// The function's name after `MPI_`.
    fn function(self, operation: &str) -> String {
        match self {
            Form::Blocking => operation.to_owned(),
            Form::Nonblocking => format!("I{}", operation.to_lowercase()),
            Form::Persistent => format!("{operation}_init"),
        }
    }

    /// The call that says what is done, and those that complete it.
    fn lines(self, (operation, arguments): (&str, &str), wrong: &[(&str, &str)], mark: &str) -> Vec<String> {
        let mut arguments = wrong.iter().fold(arguments.to_owned(), |all, (name, value)| all.replace(name, value));
        let datatype = if wrong == [("$O", "MPI_BAND")] { "MPI_FLOAT" } else { "MPI_INT" };
        let communicator = if operation.starts_with("Neighbor") { "comm" } else { "MPI_COMM_WORLD" };
        for (name, value) in [("$N", "1"), ("$T", datatype), ("$R", "0"), ("$O", "MPI_SUM"), ("$C", communicator)] {
            arguments = arguments.replace(name, value);
        }
        let more = match self {
            Form::Blocking => "",
            Form::Nonblocking => ", &request",
            Form::Persistent => ", MPI_INFO_NULL, &request",
        };
        let mark = if mark.is_empty() { String::new() } else { format!(" // <- {mark}") };
        let call = format!("MPI_{}({arguments}{more});{mark}", self.function(operation));
        [vec![call], self.completion().iter().map(|line| (*line).to_owned()).collect()].concat()
    }

    fn completion(self) -> &'static [&'static str] {
        match self {
            Form::Blocking => &[],
            Form::Nonblocking => &["MPI_Wait(&request, &status);"],
            Form::Persistent => &["MPI_Start(&request);", "MPI_Wait(&request, &status);", "MPI_Request_free(&request);"],
        }
    }
}

/// What rank 3 does, and what the others do.
fn apart(threes: Vec<String>, others: Vec<String>) -> Vec<String> {
    let indent = |lines: Vec<String>| lines.into_iter().map(|line| format!("    {line}")).collect::<Vec<String>>();
    [vec!["if (rank == 3) {".to_owned()], indent(threes), vec!["} else {".to_owned()], indent(others), vec!["}".to_owned()]]
        .concat()
}

/// The variants of one operation in one form.
struct Family {
    operation: (&'static str, &'static str),
    form: Form,
}

impl Family {
    fn variant(&self, name: &str, about: &str, expect: &[&str], ends: &'static str, body: Vec<String>) -> Variant {
        let function = self.form.function(self.operation.0);
        let has_neighbours = self.operation.0.starts_with("Neighbor");
        let around = |line: &str| if has_neighbours { vec![line.to_owned()] } else { Vec::new() };
        let needs = (self.form == Form::Persistent).then(|| format!("MPI_{function}"));
        Variant {
            name: format!("collective_{}_{name}", function.to_lowercase()),
            about: format!("MPI_{function}: {about}"),
            expect: expect.iter().map(|expect| (*expect).to_owned()).collect(),
            ends,
            needs,
            body: [around(NEIGHBOURS), body, around("MPI_Comm_free(&comm);")].concat(),
        }
    }

    fn lines(&self, wrong: &[(&str, &str)], mark: &str) -> Vec<String> {
        self.form.lines(self.operation, wrong, mark)
    }

    /// The mistakes of which the arguments allow.
    fn arguments(&self) -> Vec<Variant> {
        let has = |wrong: &Arguments| self.operation.1.contains(wrong[0].0);
        // What neighbours send each other is not compared.
        let has_neighbours = self.operation.0.starts_with("Neighbor");
        // A library may end the program in the very call that begins such an operation, so that it is not known to have begun.
        let may_not_begin = self.form == Form::Nonblocking && self.operation.0.ends_with("herv");
        let one =
            OF_ONE.iter().filter(|(name, _, wrong, _)| has(wrong) && !has_neighbours && !(may_not_begin && *name == "count"));
        let of_one = one.map(|(name, about, wrong, rule)| {
            let body = apart(self.lines(wrong, rule), self.lines(&[], rule));
            self.variant(name, about, &[&format!("error {rule}")], "anyhow", body)
        });
        let of_all = OF_ALL.iter().filter(|(.., wrong, _)| has(wrong)).map(|(name, about, wrong, rule)| {
            let before = if *wrong == [("$C", "comm")] { vec![FREED.to_owned()] } else { Vec::new() };
            self.variant(name, about, &[&format!("error {rule}")], "anyhow", [before, self.lines(wrong, rule)].concat())
        });
        // Neighbours are asked for on a communicator of their own.
        let is_of_world = !has_neighbours;
        of_one.chain(of_all.filter(|variant| is_of_world || !variant.name.contains("communicator"))).collect()
    }

    /// Who takes part, and in what.
    fn order(&self) -> Vec<Variant> {
        let rule = "collective/order";
        let other = match self.operation.0 {
            "Barrier" => OPERATIONS[11],
            name if name.starts_with("Neighbor") => ("Barrier", "comm"),
            _ => OPERATIONS[0],
        };
        let other = Form::Blocking.lines(other, &[], rule);
        let mut variants = vec![
            self.variant("correct", "Nothing is wrong.", &[], "ok", self.lines(&[], "")),
            self.variant(
                "order",
                "Rank 3 calls another operation.",
                &["error collective/order"],
                "anyhow",
                apart(other, self.lines(&[], rule)),
            ),
            self.variant(
                "missing",
                "Rank 3 does not take part.",
                &["error deadlock/missing-rank"],
                "anyhow",
                apart(Vec::new(), self.lines(&[], if self.form == Form::Blocking { "deadlock/missing-rank" } else { "" })),
            ),
        ];
        if self.form != Form::Blocking {
            let blocking = Form::Blocking.lines(self.operation, &[], rule);
            let body = apart(blocking, self.lines(&[], rule));
            variants.push(self.variant(
                "mixed",
                "Rank 3 calls the blocking operation.",
                &["error collective/order"],
                "anyhow",
                body,
            ));
        }
        variants
    }

    /// What becomes of the request.
    fn requests(&self) -> Vec<Variant> {
        let all = self.lines(&[], "");
        let (begun, without_free) = (all[..1].to_vec(), all[..all.len() - 1].to_vec());
        let marked = |mark: &str| self.lines(&[], mark)[..1].to_vec();
        match self.form {
            Form::Blocking => Vec::new(),
            Form::Nonblocking => {
                let body = marked("request/lost");
                vec![self.variant("lost", "The request is never completed.", &["error request/lost"], "anyhow", body)]
            }
            Form::Persistent => {
                let body = [marked("leak/request"), without_free[1..].to_vec()].concat();
                let unstarted = [marked("request/never-started"), vec!["MPI_Request_free(&request);".to_owned()]].concat();
                debug_assert_eq!(begun.len(), 1);
                vec![
                    self.variant("leaked", "The request is never freed.", &["warning leak/request"], "ok", body),
                    self.variant("unstarted", "It is never started.", &["warning request/never-started"], "ok", unstarted),
                ]
            }
        }
    }
}

/// Each operation in each form, with each mistake.
pub fn variants() -> Vec<Variant> {
    let families = OPERATIONS.into_iter().flat_map(|operation| Form::ALL.map(|form| Family { operation, form }));
    families.flat_map(|family| [family.order(), family.arguments(), family.requests()].concat()).collect()
}
