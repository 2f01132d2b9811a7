//! The algorithm of exchange.c in Rust with rsmpi.

use mpi::collective::SystemOperation;
use mpi::datatype::{MutView, UserDatatype, View};
use mpi::topology::Color;
use mpi::traits::*;

fn main() {
    let universe = mpi::initialize().expect("MPI is not initialized yet");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());
    let (left, right) = (world.process_at_rank((rank + size - 1) % size), world.process_at_rank((rank + 1) % size));
    let (first, second) = (world.process_at_rank(0), world.process_at_rank(1));
    let (mut token, mut matrix) = (0, [0; 16]);
    world.barrier();
    mpi::request::scope(|scope| {
        let receive = left.immediate_receive_into_with_tag(scope, &mut token, 1);
        let send = right.immediate_send_with_tag(scope, &rank, 1);
        receive.wait();
        send.wait();
    });
    let column = UserDatatype::vector(4, 1, 4, &i32::equivalent_datatype());
    if rank == 0 {
        // SAFETY: the matrix has a column.
        second.send_with_tag(&unsafe { View::with_count_and_datatype(&matrix[..], 1, &column) }, 2);
    }
    if rank == 1 {
        // SAFETY: as above.
        let mut view = unsafe { MutView::with_count_and_datatype(&mut matrix[..], 1, &column) };
        world.any_process().receive_into_with_tag(&mut view, 2);
    }
    drop(column);
    let mut numbers = [token, token + 1, token + 2, token + 3];
    first.broadcast_into(&mut numbers[..]);
    let (mut share, mut sum, mut most) = (0, 0, 0);
    if rank == 0 {
        first.scatter_into_root(&numbers[..], &mut share)
    } else {
        first.scatter_into(&mut share)
    }
    world.all_reduce_into(&share, &mut sum, SystemOperation::sum());
    if rank == 0 {
        first.gather_into_root(&share, &mut numbers[..])
    } else {
        first.gather_into(&share)
    }
    let half = world.split_by_color_with_key(Color::with_value(rank % 2), rank).expect("it has a color");
    let lowest = half.process_at_rank(0);
    if half.rank() == 0 {
        lowest.reduce_into_root(&rank, &mut most, SystemOperation::max());
    } else {
        lowest.reduce_into(&rank, SystemOperation::max());
    }
    drop(half);
    world.barrier();
    assert_eq!(sum, 18);
}
