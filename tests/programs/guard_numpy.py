# Rank 1 sums up an array that is being received; the others wait first. All of them use other arrays meanwhile.
# record: --guard
# expect: error buffer/touched
import numpy
from mpi4py import MPI

world = MPI.COMM_WORLD
rank, size = world.Get_rank(), world.Get_size()
received, other = numpy.zeros(40000), numpy.arange(40000.0)
sent = numpy.full(40000, float(rank))
request = world.Irecv(received, source=(rank - 1) % size)
if rank == 1:
    received.sum()
assert (other + sent).sum() == other.sum() + 40000 * rank
world.Send(sent, dest=(rank + 1) % size)
request.Wait()
assert (received == (rank - 1) % size).all()
