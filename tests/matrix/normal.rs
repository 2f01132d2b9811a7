//! Calls as they are the same whatever library and language they were made in: the one place that says what may differ.
//!
//! A library is free to choose addresses, how often a poll finds nothing, how much room buffered sends need, and the numbers of attribute
//! keys. A language has its own names for the same types, and may use the functions for large counts.

use traces::call::value_text;
use traces::{Call, Direction, Event, Kind, Outcome, SiteId, Trace, Value, mpi};

/// A call, made comparable.
pub struct Normal {
    /// The function without large counts.
    pub function: traces::Function,
    /// What must be the same: function, arguments, statuses.
    pub text: String,
    /// Where it was made.
    pub site: Option<SiteId>,
}

/// The calls of a rank.
pub fn calls(trace: &Trace, rank: u32) -> impl Iterator<Item = Normal> + '_ {
    let events = trace.lanes_of(rank).flat_map(|lane| &trace.lanes[lane].events);
    events.map(|event| normal(trace, event))
}

fn normal(trace: &Trace, event: &Event) -> Normal {
    let call = trace.call(event.call);
    let outcome = event.outcome.map(|id| trace.outcome(id));
    let text =
        format!("{}({}){}", call.function.small(), arguments(call), outcome.map(|o| came_back(call, o)).unwrap_or_default());
    Normal { function: call.function.small(), text, site: call.site }
}

fn arguments(call: &Call) -> String {
    let has_own_sizes = matches!(call.function, mpi::BUFFER_ATTACH | mpi::PACK);
    let small = call.function.small().parameters();
    let arguments = call.function.parameters().iter().zip(small).zip(&call.arguments).filter(|((parameter, small), _)| {
        // Addresses, and displacements, which may be such. What a function for large counts has of this kind may be a count.
        let is_address = matches!(small.kind, Kind::Buffer | Kind::Pointer | Kind::Attribute | Kind::Long);
        // Keys of attributes are numbered by the library.
        let is_key = parameter.kind == Kind::Keyval;
        parameter.direction != Direction::Out && !is_address && !has_own_sizes && !is_key
    });
    let texts = arguments.map(|((parameter, small), value)| format!("{}={}", parameter.name, text(small.kind, value)));
    texts.collect::<Vec<_>>().join(", ")
}

/// The communicator that was made, and the statuses.
fn came_back(call: &Call, outcome: &Outcome) -> String {
    let results = call.function.parameters().iter().zip(&outcome.results);
    let told = results.filter(|(parameter, value)| matches!(parameter.kind, Kind::Comm | Kind::Status) && **value != Value::Nil);
    let told = told.map(|(parameter, value)| match (parameter.kind, value.ints()) {
        (Kind::Comm, [number, members @ ..]) => {
            format!(" {}={} {members:?}", parameter.name, text(Kind::Comm, &Value::Int(*number)))
        }
        (kind, _) => format!(" {}={}", parameter.name, text(kind, value)),
    });
    told.collect()
}

/// A value, by the name in C if it is a type.
fn text(kind: Kind, value: &Value) -> String {
    let text = value_text(kind, value);
    let same = [("MPI_INTEGER", "MPI_INT"), ("MPI_INT32_T", "MPI_INT"), ("MPI_DOUBLE_PRECISION", "MPI_DOUBLE")];
    let name_in_c = same.iter().find(|(other, _)| kind == Kind::Type && *other == text).map(|(_, name)| (*name).to_owned());
    name_in_c.unwrap_or(text)
}
