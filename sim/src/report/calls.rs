//! A call in the few words that tell it from other calls.

use traces::call::value_text;
use traces::{Call, Class, Direction, Kind, Value, constant};

/// Arrays up to this length are shown; longer ones say nothing at a glance.
const SHORT: usize = 4;

/// The call with what decides whom it meets: `MPI_Send(1 MPI_INT, dest=2, tag=8)`.
///
/// Addresses, handles of requests and what MPI returns are left out, and so is MPI_COMM_WORLD.
#[must_use]
pub fn summary(call: &Call) -> String {
    if call.function.class() == Class::Program {
        return "the program".into();
    }
    let mut shown: Vec<String> = Vec::new();
    let mut after_count = false;
    for (parameter, value) in call.function.parameters().iter().zip(&call.arguments) {
        if parameter.direction == Direction::Out || !tells(parameter.kind, value) {
            continue;
        }
        let text = value_text(parameter.kind, value);
        match shown.last_mut() {
            // A count and its type belong together: `4 MPI_DOUBLE`.
            Some(count) if after_count && parameter.kind == Kind::Type => *count = format!("{count} {text}"),
            _ if parameter.name == "count" => shown.push(text),
            _ => shown.push(format!("{}={text}", parameter.name)),
        }
        after_count = matches!(parameter.kind, Kind::Count | Kind::Lcount);
    }
    if shown.is_empty() {
        return call.function.to_string();
    }
    format!("{}({})", call.function, shown.join(", "))
}

/// Whether an argument helps a reader to recognise the call.
fn tells(kind: Kind, value: &Value) -> bool {
    match value {
        Value::Nil | Value::Text(_) => return false,
        Value::Ints(list) if list.len() > SHORT => return false,
        Value::Int(_) | Value::Ints(_) => {}
    }
    match kind {
        Kind::Comm => value.int() != Some(constant::COMM_WORLD),
        Kind::Count | Kind::Lcount | Kind::Rank | Kind::Tag | Kind::Type | Kind::Op | Kind::Win | Kind::File => true,
        Kind::Int => matches!(value, Value::Int(_)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use traces::{Function, mpi};

    fn call(function: Function, arguments: &[(&str, Value)]) -> Call {
        let mut values = vec![Value::Nil; function.parameters().len()];
        for (name, value) in arguments {
            values[function.parameter(name).unwrap()] = value.clone();
        }
        Call { function, site: None, caller: None, arguments: values.into() }
    }

    #[test]
    fn a_summary_has_what_decides_whom_the_call_meets() {
        let buffer = ("buf", Value::Int(0x7fff_0000));
        let world = ("comm", Value::Int(constant::COMM_WORLD));
        let send = [buffer, ("count", Value::Int(1)), ("datatype", Value::Int(0x209)), ("dest", Value::Int(2))];
        let send = [&send[..], &[("tag", Value::Int(8)), world.clone()]].concat();
        assert_eq!(summary(&call(mpi::SEND, &send)), "MPI_Send(1 MPI_INT, dest=2, tag=8)");
        assert_eq!(summary(&call(mpi::BARRIER, &[world])), "MPI_Barrier");
        let made = ("comm", Value::Int(constant::FIRST_MADE));
        assert_eq!(summary(&call(mpi::BARRIER, &[made])), "MPI_Barrier(comm=comm-1000)");
        let gather = [("sendcount", 4), ("sendtype", 0x209), ("recvcount", 4), ("recvtype", 0x209), ("root", 0)];
        let gather = gather.map(|(name, number)| (name, Value::Int(number)));
        let text = "MPI_Gather(sendcount=4 MPI_INT, recvcount=4 MPI_INT, root=0)";
        assert_eq!(summary(&call(mpi::GATHER, &gather)), text);
        let any = [("source", Value::Int(constant::ANY_SOURCE)), ("tag", Value::Int(constant::ANY_TAG))];
        assert_eq!(summary(&call(mpi::PROBE, &any)), "MPI_Probe(source=MPI_ANY_SOURCE, tag=MPI_ANY_TAG)");
    }
}
