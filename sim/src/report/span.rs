//! Which part of a line of source is a call.
//!
//! Debug information gives a line and at best a column. The name of the function finds the call in C, C++ and Fortran; where it
//! does not stand in the line (a method of a binding, a macro), the column does; else the whole line is meant.

/// A part of a line, in columns of the text as [`expand`] shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub start: usize,
    pub length: usize,
}

/// A tab is shown as so many spaces.
const TAB: &str = "    ";

/// The line as it is shown.
pub(super) fn expand(line: &str) -> String {
    line.replace('\t', TAB)
}

impl Span {
    /// The call of `function` in a line of source, of a method by its last name; `column` counts bytes from 1.
    pub(super) fn find(line: &str, function: Option<&str>, column: Option<u32>) -> Span {
        let trimmed = line.trim_end();
        let column = column.map(|column| column as usize - 1).filter(|&at| trimmed.is_char_boundary(at));
        let function = function.map(|name| name.rsplit('.').next().unwrap_or(name));
        let start = function.and_then(|name| named(trimmed, name, column.unwrap_or(0))).or(column);
        let (start, end) = match start {
            Some(start) if start < trimmed.len() => (start, end_of_call(trimmed, start)),
            _ => (trimmed.len() - trimmed.trim_start().len(), trimmed.len()),
        };
        let columns = |text: &str| expand(text).chars().count();
        Span { start: columns(&trimmed[..start]), length: columns(&trimmed[start..end]).max(1) }
    }

    /// The column after it.
    pub(super) fn end(self) -> usize {
        self.start + self.length
    }

    /// What of it is seen in the first `width` columns.
    pub(super) fn within(self, width: usize) -> Span {
        let start = self.start.min(width - 1);
        Span { start, length: self.length.min(width - start) }
    }
}

/// Where the name stands, nearest to `near`; in any case, as Fortran has none.
fn named(line: &str, name: &str, near: usize) -> Option<usize> {
    let (line, name) = (line.to_ascii_lowercase(), name.to_ascii_lowercase());
    let whole = |&at: &usize| {
        let next = line[at + name.len()..].chars().next();
        !next.is_some_and(|c| c.is_ascii_alphanumeric())
    };
    line.match_indices(&name).map(|(at, _)| at).filter(whole).min_by_key(|at| at.abs_diff(near))
}

/// The end of the parenthesis that opens first; of the line if it does not close there.
fn end_of_call(line: &str, start: usize) -> usize {
    let mut depth = 0;
    for (at, c) in line[start..].char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth <= 1 => return start + at + 1,
            ')' => depth -= 1,
            _ => {}
        }
    }
    line.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(line: &str, function: &str, column: Option<u32>) -> String {
        let span = Span::find(line, Some(function), column);
        expand(line).chars().skip(span.start).take(span.length).collect()
    }

    #[test]
    fn a_call_is_found_by_its_name() {
        let line = "\tif (rank) MPI_Send(&x, f(1), MPI_INT, 1, 0, comm);  /* right */";
        assert_eq!(marked(line, "MPI_Send", None), "MPI_Send(&x, f(1), MPI_INT, 1, 0, comm)");
        assert_eq!(marked("  call mpi_send(x, 1) ! fortran", "MPI_Send", None), "mpi_send(x, 1)");
        assert_eq!(marked("MPI_Sendrecv(a); MPI_Send(b);", "MPI_Send", None), "MPI_Send(b)");
        assert_eq!(marked("MPI_Recv(a); MPI_Recv(b);", "MPI_Recv", Some(14)), "MPI_Recv(b)");
        assert_eq!(marked("  MPI_Send(buffer,", "MPI_Send", None), "MPI_Send(buffer,");
        assert_eq!(marked("    data = comm.recv(source=0)", "Comm.recv", None), "recv(source=0)");
    }

    #[test]
    fn else_by_its_column_and_else_it_is_the_line() {
        assert_eq!(marked("    world.process_at_rank(1).send(&x);", "MPI_Send", Some(5)), "world.process_at_rank(1)");
        assert_eq!(marked("    SEND_ALL", "MPI_Send", None), "SEND_ALL");
        assert_eq!(marked("    SEND_ALL", "MPI_Send", Some(99)), "SEND_ALL");
        assert_eq!(Span::find("", None, None), Span { start: 0, length: 1 });
    }

    #[test]
    fn columns_are_those_of_the_text_as_shown() {
        assert_eq!(Span::find("\tMPI_Barrier(c);", Some("MPI_Barrier"), None), Span { start: 4, length: 14 });
        assert_eq!(Span { start: 90, length: 20 }.within(80), Span { start: 79, length: 1 });
    }
}
