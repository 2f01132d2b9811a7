# Every call that Python programs use most, in lower case (objects) and in upper case (buffers) where it has both.
# expect: nothing
import numpy
from mpi4py import MPI

world = MPI.COMM_WORLD
rank, size = world.Get_rank(), world.Get_size()
right, left = (rank + 1) % size, (rank - 1) % size


def numbers(count, first=0, kind=numpy.intc):
    return numpy.arange(first, first + count, dtype=kind)


def point_to_point():
    if rank == 0:
        world.send({"a": 7, "b": [1, 2]}, dest=1, tag=11)
        world.Send([numbers(10), MPI.INT], dest=1, tag=12)
        world.Send(numbers(10, kind=float), dest=1, tag=13)
    elif rank == 1:
        assert world.recv(source=0, tag=11) == {"a": 7, "b": [1, 2]}
        data = numpy.empty(10, dtype=numpy.intc)
        world.Recv([data, MPI.INT], source=0, tag=12)
        assert (data == numbers(10)).all()
        data = numpy.empty(10, dtype=float)
        world.Recv(data, source=MPI.ANY_SOURCE, tag=MPI.ANY_TAG)
        assert data.sum() == 45


def nonblocking():
    request = world.isend([rank] * 3, dest=right, tag=21)
    assert world.irecv(source=left, tag=21).wait() == [left] * 3
    request.wait()
    data = numpy.empty(4, dtype=numpy.intc)
    requests = [world.Irecv([data, MPI.INT], source=left, tag=22), world.Isend([numbers(4, rank), MPI.INT], right, 22)]
    MPI.Request.Waitall(requests)
    assert (data == numbers(4, left)).all()
    if rank == 0:
        received = MPI.Request.waitall([world.irecv(source=other, tag=23) for other in (1, 2, 3)])
        assert received == [10, 20, 30]
    else:
        world.isend(10 * rank, dest=0, tag=23).wait()


def broadcasts():
    config = world.bcast({"steps": 10, "dt": 0.5} if rank == 0 else None, root=0)
    assert config["steps"] == 10
    data = numbers(100) if rank == 0 else numpy.empty(100, dtype=numpy.intc)
    world.Bcast(data, root=0)
    assert (data == numbers(100)).all()


def scatters():
    assert world.scatter([(i + 1) ** 2 for i in range(size)] if rank == 0 else None, root=0) == (rank + 1) ** 2
    part = numpy.empty(2, dtype=numpy.intc)
    world.Scatter(numbers(2 * size) if rank == 0 else None, part, root=0)
    assert (part == numbers(2, 2 * rank)).all()
    counts = [i + 1 for i in range(size)]
    part = numpy.empty(rank + 1, dtype=float)
    world.Scatterv([numbers(sum(counts), kind=float), counts, None, MPI.DOUBLE] if rank == 0 else None, part, root=0)
    assert part[0] == sum(counts[:rank])


def gathers():
    assert world.gather(rank**2, root=0) == ([i**2 for i in range(size)] if rank == 0 else None)
    whole = numpy.empty(size, dtype=numpy.intc) if rank == 0 else None
    world.Gather(numbers(1, rank), whole, root=0)
    assert rank != 0 or (whole == numbers(size)).all()
    counts = [i + 1 for i in range(size)]
    whole = numpy.empty(sum(counts), dtype=float) if rank == 0 else None
    world.Gatherv(numpy.full(rank + 1, rank, dtype=float), [whole, counts, None, MPI.DOUBLE] if rank == 0 else None, root=0)
    assert rank != 0 or whole[-1] == size - 1
    assert world.allgather(rank) == list(range(size))
    whole = numpy.empty(size, dtype=numpy.intc)
    world.Allgather(numbers(1, rank), whole)
    assert (whole == numbers(size)).all()


def reductions():
    total = size * (size - 1) // 2
    assert world.reduce(rank, op=MPI.SUM, root=0) == (total if rank == 0 else None)
    assert world.allreduce(rank, op=MPI.MAX) == size - 1
    mine, result = numbers(3, rank), numpy.zeros(3, dtype=numpy.intc)
    world.Reduce(mine, result, op=MPI.SUM, root=0)
    assert result[0] == (total if rank == 0 else 0)
    world.Allreduce([mine, MPI.INT], [result, MPI.INT], op=MPI.SUM)
    assert result[0] == total


def all_to_all():
    assert world.alltoall([(rank, other) for other in range(size)]) == [(other, rank) for other in range(size)]
    received = numpy.empty(size, dtype=numpy.intc)
    world.Alltoall(numbers(size, 10 * rank), received)
    assert (received == 10 * numbers(size) + rank).all()
    world.barrier()
    world.Barrier()


def communicators():
    half, twin = world.Split(rank % 2, rank), world.Dup()
    assert (half.Get_size(), half.Get_rank()) == (size // 2, rank // 2)
    assert half.allreduce(rank) == sum(i for i in range(size) if i % 2 == rank % 2)
    assert twin.bcast(rank, root=2) == 2
    half.Free()
    twin.Free()


for part in (point_to_point, nonblocking, broadcasts, scatters, gathers, reductions, all_to_all, communicators):
    part()
if rank == 0:
    print("every call of the list")
