# Functions, decorators, threads, generators, methods, callbacks and the end of the interpreter: the stack is that of Python, and the method of
# mpi4py is named beside what it calls.
# expect: nothing
# stack: Comm.bcast: exchange < deep < logged.<locals>.inner < deep < logged.<locals>.inner < <module>
# stack: Comm.bcast: exchange < Thread.run
# stack: Comm.bcast: each < <module>
# stack: Comm.barrier: steps < <module>
# stack: Comm.allreduce: Solver.norm < <module>
# stack: Comm.Sendrecv: shift < <module>
# stack: Request.Waitall: Solver.norm < <module>
# stack: Comm.Barrier: at_end
# stack: MPI_Finalize: the interpreter, as it ends
import atexit
import functools
import threading

import numpy
from mpi4py import MPI

world = MPI.COMM_WORLD
rank, size = world.Get_rank(), world.Get_size()


def exchange(thing):
    return world.bcast(thing, root=0)


def logged(function):
    @functools.wraps(function)
    def inner(*arguments):
        return function(*arguments)

    return inner


@logged
def deep(depth):
    return deep(depth - 1) if depth else exchange({"depth": depth})


def steps(count):
    for step in range(count):
        world.barrier()
        yield step


class Solver:
    def norm(self):
        mine = world.allreduce(rank)
        data = numpy.zeros(1)
        requests = [world.Irecv(data, source=(rank - 1) % size), world.Isend(numpy.ones(1), dest=(rank + 1) % size)]
        MPI.Request.Waitall(requests)
        return mine


def each(things):
    return list(map(world.bcast, things))


def shift():
    data = numpy.zeros(4)
    world.Sendrecv(numpy.ones(4), dest=(rank + 1) % size, recvbuf=data, source=(rank - 1) % size)
    return data


def at_end():
    world.Barrier()


assert deep(1) == {"depth": 0}
thread = threading.Thread(target=exchange, args=("in a thread",))
thread.start()
thread.join()
each([1, 2])
list(steps(2))
Solver().norm()
shift()
atexit.register(at_end)
