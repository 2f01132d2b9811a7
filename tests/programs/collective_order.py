# Rank 0 gathers an object where the others broadcast one.
# expect: error collective/order
# ends: anyhow
from mpi4py import MPI

world = MPI.COMM_WORLD
if world.Get_rank() == 0:
    world.gather("mine", root=0)  # <- collective/order
else:
    world.bcast("ours", root=0)  # <- collective/order
