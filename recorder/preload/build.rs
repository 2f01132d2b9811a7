//! Writes the exported functions: for each function of the table that is recorded, `MPI_x` and `PMPI_x`.
//!
//! All that they do is to collect their arguments, each a machine word in every ABI, and their frame. What happens then is
//! the same for all and stands in `src/wrapper.rs`.

use std::fmt::Write as _;
use std::{env, fs, path::Path};

use traces::Function;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let mut source = String::new();
    for function in Function::all().filter(|f| f.class().is_recorded()) {
        for (family, prefix) in [("Mpi", ""), ("Pmpi", "P")] {
            wrapper(&mut source, function, family, prefix).expect("writing to a string succeeds");
        }
    }
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR for build scripts");
    fs::write(Path::new(&out).join("wrappers.rs"), source).expect("OUT_DIR is writable");
}

fn wrapper(out: &mut String, function: Function, family: &str, prefix: &str) -> std::fmt::Result {
    let (name, number) = (function.name(), function.0);
    let count = function.parameters().len();
    let names: Vec<String> = (0..count).map(|i| format!("a{i}")).collect();
    let parameters: Vec<String> = names.iter().map(|a| format!("{a}: usize")).collect();
    let (call, result) = if function.returns_double() { ("call_double", "f64") } else { ("call", "usize") };
    writeln!(
        out,
        "// SAFETY: called by the program as the C function {name}, whose arguments all are of machine words.\n\
         #[unsafe(no_mangle)]\n\
         pub unsafe extern \"C-unwind\" fn {prefix}{name}({}) -> {result} {{\n\
             let frame = frame!();\n\
             // SAFETY: see above.\n\
             unsafe {{ {call}(Function({number}), Family::{family}, [{}], frame) }}\n\
         }}",
        parameters.join(", "),
        names.join(", ")
    )
}
