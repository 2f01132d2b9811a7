//! `mpitrace record` without any MPI: how it becomes the program, what the program sees of it, and who clears up afterwards.
//!
//! The recorded programs are shell scripts that do what ranks, launchers and the preload do. Recording itself is tested on real MPIs.

mod clearing_up;
mod commands;
mod scene;
mod starting;
