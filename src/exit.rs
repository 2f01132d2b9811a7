//! The exit codes of both commands. `mpitrace record` has those of the program that it becomes, and three of its own.

/// Nothing was found that the user asked to fail for; what was asked for is done.
pub const SUCCESS: u8 = 0;
/// There are findings.
pub const FINDINGS: u8 = 1;
/// The command line makes no sense.
pub const USAGE: u8 = 2;
/// The trace cannot be read: there is none, it is too new, or it is something else.
pub const UNREADABLE: u8 = 3;
/// A limit was reached, the run broke off or is still going on, or the trace is cut, and nothing was found up to there.
pub const UNDECIDED: u8 = 4;
/// `mpitrace record` was given options that make no sense.
pub const RECORD_FAILED: u8 = 125;
/// `mpitrace record` was given a program that cannot be executed.
pub const NOT_EXECUTABLE: u8 = 126;
/// `mpitrace record` was given a program that does not exist.
pub const NOT_FOUND: u8 = 127;
