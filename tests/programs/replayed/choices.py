"""Prints what MPI chose, of a program in Python. The rank that LATE names is late."""

import os
import time

from mpi4py import MPI

ROUNDS, TAG, ANSWER, LAST = 6, 7, 8, 9
comm = MPI.COMM_WORLD
rank, size = comm.rank, comm.size


def answer(what, value, source):
    print(what, value, "from", source, flush=True)
    comm.send(value, dest=source, tag=ANSWER)


def master():
    status = MPI.Status()
    for _ in range((size - 1) * ROUNDS):
        value = comm.recv(source=MPI.ANY_SOURCE, tag=TAG, status=status)
        answer("received", value, status.Get_source())
    for _ in range((size - 1) * ROUNDS):
        nothing = 0
        while not comm.iprobe(source=MPI.ANY_SOURCE, tag=TAG, status=status):
            nothing += 1
        value = comm.recv(source=status.Get_source(), tag=TAG)
        answer(f"after {nothing} times nothing", value, status.Get_source())
    left = [bytearray(1) for _ in range(size - 1)]
    requests = [comm.Irecv(buffer, source=MPI.ANY_SOURCE, tag=LAST) for buffer in left]
    for _ in requests:
        index = MPI.Request.Waitany(requests, status)
        answer(f"request {index} has", left[index][0], status.Get_source())


def worker():
    def be_late():
        if os.environ.get("LATE") == str(rank):
            time.sleep(0.02)

    for i in range(2 * ROUNDS):
        be_late()
        comm.send({"rank": rank, "round": i}, dest=0, tag=TAG)
        comm.recv(source=0, tag=ANSWER)
    be_late()
    comm.Send(bytearray([rank]), dest=0, tag=LAST)
    comm.recv(source=0, tag=ANSWER)


master() if rank == 0 else worker()
