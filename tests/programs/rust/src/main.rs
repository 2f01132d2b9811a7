//! A token goes round a ring ten times in Rust, and every rank adds one to it; a reduction and a broadcast follow.
//!
//! expect: nothing
//! stack: MPI_Allreduce: mpi::collective::CommunicatorCollectives::all_reduce_into < ring::main
//! stack: MPI_Send: mpi::point_to_point::Destination::send_with_tag < ring::main

use mpi::collective::SystemOperation;
use mpi::point_to_point::{Destination, Source};
use mpi::traits::{Communicator, CommunicatorCollectives, Root};

fn main() {
    let universe = mpi::initialize().expect("MPI is not initialized yet");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());
    let (left, right) = (world.process_at_rank((rank + size - 1) % size), world.process_at_rank((rank + 1) % size));
    let mut token = 0_i32;
    for lap in 0..10 {
        if rank > 0 {
            token = left.receive_with_tag(lap).0;
        }
        token += 1;
        right.send_with_tag(&token, lap);
        if rank == 0 {
            token = left.receive_with_tag(lap).0;
        }
    }
    let mut sum = 0;
    world.all_reduce_into(&rank, &mut sum, SystemOperation::sum());
    assert_eq!(sum, size * (size - 1) / 2);
    world.process_at_rank(0).broadcast_into(&mut token);
    assert_eq!(token, 10 * size);
    if rank == 0 {
        println!("the token is {token}");
    }
}
