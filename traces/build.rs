//! Turns the two tables `mpi-functions` and `mpi-constants` into Rust statics, so that nothing generated is in git.
//!
//! It does not judge the tables: what a kind or a class means is said in `src/function.rs`.

use std::fmt::Write as _;
use std::{env, fs, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=mpi-functions");
    println!("cargo::rerun-if-changed=mpi-constants");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR for build scripts");
    let write = |name: &str, text: String| {
        fs::write(Path::new(&out).join(name), text).expect("OUT_DIR is writable");
    };
    let functions = fs::read_to_string("mpi-functions").expect("mpi-functions lies beside build.rs");
    let constants = fs::read_to_string("mpi-constants").expect("mpi-constants lies beside build.rs");
    write("functions.rs", functions_source(&functions));
    write("constants.rs", constants_source(&constants));
}

/// `static TABLE: [Entry; N]` and one constant a function in `pub mod mpi`.
fn functions_source(text: &str) -> String {
    let rows: Vec<&str> = rows(text).collect();
    let mut table = format!("static TABLE: [Entry; {}] = [\n", rows.len());
    let mut names = String::from(
        "/// Every function of the table as a constant: `MPI_Send_c` is `mpi::SEND_C`.\npub mod mpi {\nuse super::Function;\n",
    );
    for (number, row) in rows.iter().enumerate() {
        let (head, rest) = row.split_once('(').expect("a row has a parameter list");
        let mut words = head.split(' ');
        let class = words.next().expect("a row begins with its class");
        let name = words.next_back().expect("a row has a name");
        let returns_double = words.next() == Some("double");
        let parameters = rest.strip_suffix(')').expect("a parameter list is closed");
        let parameters: Vec<&str> = parameters.split(", ").filter(|p| !p.is_empty()).collect();
        let own: Vec<String> = parameters.iter().map(|p| name_of(p).to_owned()).collect();
        let list: String = parameters.iter().map(|p| parameter_source(p, &own)).collect();
        writeln!(
            table,
            "Entry {{ name: {name:?}, class: Class::{}, returns_double: {returns_double}, parameters: &[{list}] }},",
            camel(class)
        )
        .expect("writing to a string succeeds");
        let constant = name.strip_prefix("MPI_").unwrap_or(name).to_uppercase();
        writeln!(names, "/// `{name}`.\npub const {constant}: Function = Function({number});")
            .expect("writing to a string succeeds");
    }
    format!("{table}];\n{names}}}\n")
}

/// One `Parameter { … }` from text such as `root-only out count recvcounts[@size]`.
fn parameter_source(text: &str, own: &[String]) -> String {
    let (text, length) = match text.split_once('[') {
        Some((head, length)) => (head, Some(length.trim_end_matches(']'))),
        None => (text, None),
    };
    let mut words: Vec<&str> = text.split(' ').collect();
    let name = words.pop().expect("a parameter has a name");
    let kind = words.pop().expect("a parameter has a kind");
    let direction = match words.iter().find(|w| **w == "out" || **w == "inout") {
        Some(&"out") => "Out",
        Some(_) => "InOut",
        None => "In",
    };
    let index_of = |n: &str| own.iter().position(|o| o == n);
    let length = match length {
        None => "Length::Scalar".to_owned(),
        Some("@size") => "Length::CommSize".to_owned(),
        Some("@indegree") => "Length::InDegree".to_owned(),
        Some("@outdegree") => "Length::OutDegree".to_owned(),
        Some("@dims") => "Length::Dimensions".to_owned(),
        Some("?") => "Length::Unknown".to_owned(),
        Some("n*3") => format!("Length::Triples({})", index_of("n").expect("n is a parameter")),
        Some(other) => match (other.split_once(' '), index_of(other), other.parse::<u32>()) {
            (Some(("last", array)), ..) => format!("Length::Last({})", index_of(array).expect("it is a parameter")),
            (Some(("sum", array)), ..) => format!("Length::Sum({})", index_of(array).expect("it is a parameter")),
            (_, Some(at), _) => format!("Length::Parameter({at})"),
            (_, None, Ok(n)) => format!("Length::Fixed({n})"),
            (_, None, Err(_)) => panic!("mpi-functions: length [{other}] of {name} is no parameter"),
        },
    };
    format!(
        "Parameter {{ name: {name:?}, kind: Kind::{}, direction: Direction::{direction}, length: {length}, root_only: {} }},",
        camel(kind),
        words.contains(&"root-only"),
    )
}

fn name_of(parameter: &str) -> &str {
    let text = parameter.split('[').next().expect("split yields one part at least");
    text.rsplit(' ').next().expect("split yields one part at least")
}

/// `static CONSTANTS: [Constant; N]`.
fn constants_source(text: &str) -> String {
    let rows: Vec<Vec<&str>> = rows(text).map(|r| r.split(' ').collect()).collect();
    let mut out = format!("static CONSTANTS: [Constant; {}] = [\n", rows.len());
    for row in rows {
        let [class, name, standard, bytes, openmpi, mpich] = row[..] else {
            panic!("mpi-constants: a row has six columns, not {row:?}");
        };
        let number = |text: &str| match text.strip_prefix("0x") {
            Some(hex) => i64::from_str_radix(hex, 16).expect("a hexadecimal number"),
            None => text.parse().expect("a number"),
        };
        let native = |text: &str| match text {
            "-" => "Native::Absent".to_owned(),
            symbol if symbol.starts_with("ompi_") => format!("Native::Symbol(c{symbol:?})"),
            value => format!("Native::Value({})", number(value)),
        };
        let bytes = if bytes == "-" { "0" } else { bytes };
        writeln!(
            out,
            "Constant {{ kind: Kind::{}, name: {name:?}, value: {}, bytes: {bytes}, openmpi: {}, mpich: {} }},",
            camel(class),
            number(standard),
            native(openmpi),
            native(mpich)
        )
        .expect("writing to a string succeeds");
    }
    out + "];\n"
}

fn rows(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// `point-to-point` to `PointToPoint`.
fn camel(word: &str) -> String {
    word.split('-')
        .map(|part| {
            let mut letters = part.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        })
        .collect()
}
