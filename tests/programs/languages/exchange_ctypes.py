# The algorithm of exchange.c in Python that calls the library, whose path is the argument, by ctypes. Handles are words.
import ctypes
import sys
from ctypes import byref, c_int, c_void_p

mpi = ctypes.CDLL(sys.argv[1], mode=ctypes.RTLD_GLOBAL)


def constants():
    if hasattr(mpi, "ompi_mpi_comm_world"):
        names = ["ompi_mpi_comm_world", "ompi_mpi_int", "ompi_mpi_op_sum", "ompi_mpi_op_max"]
        return *(c_void_p(ctypes.addressof(ctypes.c_char.in_dll(mpi, name))) for name in names), -1
    version = [c_int(-1), c_int(-1)]
    if hasattr(mpi, "MPI_Abi_get_version"):
        mpi.MPI_Abi_get_version(byref(version[0]), byref(version[1]))
    if version[0].value > 0:
        return c_void_p(0x101), c_void_p(0x209), c_void_p(0x21), c_void_p(0x23), -1
    return c_void_p(0x44000000), c_void_p(0x4C000405), c_void_p(0x58000003), c_void_p(0x58000001), -2


WORLD, INT, SUM, MAX, ANY_SOURCE = constants()
rank, size, token, share, total, most = (c_int() for _ in range(6))
receive, send, column, half = (c_void_p() for _ in range(4))
matrix, status = (c_int * 16)(), (c_int * 16)()
mpi.MPI_Init(None, None)
mpi.MPI_Comm_rank(WORLD, byref(rank))
mpi.MPI_Comm_size(WORLD, byref(size))
right, left = (rank.value + 1) % size.value, (rank.value + size.value - 1) % size.value
mpi.MPI_Barrier(WORLD)
mpi.MPI_Irecv(byref(token), 1, INT, left, 1, WORLD, byref(receive))
mpi.MPI_Isend(byref(rank), 1, INT, right, 1, WORLD, byref(send))
mpi.MPI_Wait(byref(receive), status)
mpi.MPI_Wait(byref(send), status)
mpi.MPI_Type_vector(4, 1, 4, INT, byref(column))
mpi.MPI_Type_commit(byref(column))
if rank.value == 0:
    mpi.MPI_Send(matrix, 1, column, 1, 2, WORLD)
if rank.value == 1:
    mpi.MPI_Recv(matrix, 1, column, ANY_SOURCE, 2, WORLD, status)
mpi.MPI_Type_free(byref(column))
numbers = (c_int * 4)(*range(token.value, token.value + 4))
mpi.MPI_Bcast(numbers, 4, INT, 0, WORLD)
mpi.MPI_Scatter(numbers, 1, INT, byref(share), 1, INT, 0, WORLD)
mpi.MPI_Allreduce(byref(share), byref(total), 1, INT, SUM, WORLD)
mpi.MPI_Gather(byref(share), 1, INT, numbers, 1, INT, 0, WORLD)
mpi.MPI_Comm_split(WORLD, rank.value % 2, rank.value, byref(half))
mpi.MPI_Reduce(byref(rank), byref(most), 1, INT, MAX, 0, half)
mpi.MPI_Comm_free(byref(half))
mpi.MPI_Barrier(WORLD)
mpi.MPI_Finalize()
assert total.value == 18
