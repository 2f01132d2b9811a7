# The algorithm of exchange.c in Python with mpi4py's methods for buffers.
import array

import mpi4py

mpi4py.rc.threads = False
from mpi4py import MPI  # noqa: E402

world = MPI.COMM_WORLD
rank, size = world.Get_rank(), world.Get_size()
right, left = (rank + 1) % size, (rank + size - 1) % size
status = MPI.Status()


def ints(*values):
    return array.array("i", values)


token, mine, share, total, most = ints(0), ints(rank), ints(0), ints(0), ints(0)
matrix = ints(*[0] * 16)
world.Barrier()  # MPI_Barrier
receive = world.Irecv([token, MPI.INT], left, 1)  # MPI_Irecv
send = world.Isend([mine, MPI.INT], right, 1)  # MPI_Isend
receive.Wait(status)  # MPI_Wait
send.Wait(status)  # MPI_Wait
column = MPI.INT.Create_vector(4, 1, 4)  # MPI_Type_vector
column.Commit()  # MPI_Type_commit
if rank == 0:
    world.Send([matrix, 1, column], 1, 2)  # MPI_Send
if rank == 1:
    world.Recv([matrix, 1, column], MPI.ANY_SOURCE, 2, status)  # MPI_Recv
column.Free()  # MPI_Type_free
numbers = ints(*range(token[0], token[0] + 4))
world.Bcast([numbers, MPI.INT], 0)  # MPI_Bcast
world.Scatter([numbers, MPI.INT] if rank == 0 else None, [share, MPI.INT], 0)  # MPI_Scatter
world.Allreduce([share, MPI.INT], [total, MPI.INT], MPI.SUM)  # MPI_Allreduce
world.Gather([share, MPI.INT], [numbers, MPI.INT] if rank == 0 else None, 0)  # MPI_Gather
half = world.Split(rank % 2, rank)  # MPI_Comm_split
half.Reduce([mine, MPI.INT], [most, MPI.INT] if half.Get_rank() == 0 else None, MPI.MAX, 0)  # MPI_Reduce
half.Free()  # MPI_Comm_free
world.Barrier()  # MPI_Barrier
assert total[0] == 18
