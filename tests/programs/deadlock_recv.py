# Ranks 0 and 1 each wait for the other's object before they send their own.
# expect: error deadlock/cycle
# ends: hang
from mpi4py import MPI

world = MPI.COMM_WORLD
rank = world.Get_rank()
if rank < 2:
    theirs = world.recv(source=1 - rank)  # <- deadlock/cycle
    world.send(rank, dest=1 - rank)
