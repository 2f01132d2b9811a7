! The algorithm of exchange.c in Fortran with the module mpi.
program exchange
    use mpi
    implicit none
    integer :: requests(2), status(MPI_STATUS_SIZE), column, half
    integer :: rank, size, left, right, i, ierror
    integer :: token(1), mine(1), share(1), total(1), most(1), matrix(16), numbers(4)
    call MPI_Init(ierror)
    call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierror)
    call MPI_Comm_size(MPI_COMM_WORLD, size, ierror)
    right = mod(rank + 1, size)
    left = mod(rank + size - 1, size)
    matrix = 0
    mine(1) = rank
    call MPI_Barrier(MPI_COMM_WORLD, ierror)
    call MPI_Irecv(token, 1, MPI_INTEGER, left, 1, MPI_COMM_WORLD, requests(1), ierror)
    call MPI_Isend(mine, 1, MPI_INTEGER, right, 1, MPI_COMM_WORLD, requests(2), ierror)
    call MPI_Wait(requests(1), status, ierror)
    call MPI_Wait(requests(2), status, ierror)
    call MPI_Type_vector(4, 1, 4, MPI_INTEGER, column, ierror)
    call MPI_Type_commit(column, ierror)
    if (rank == 0) call MPI_Send(matrix, 1, column, 1, 2, MPI_COMM_WORLD, ierror)
    if (rank == 1) call MPI_Recv(matrix, 1, column, MPI_ANY_SOURCE, 2, MPI_COMM_WORLD, status, ierror)
    call MPI_Type_free(column, ierror)
    numbers = [(token(1) + i, i = 0, 3)]
    call MPI_Bcast(numbers, 4, MPI_INTEGER, 0, MPI_COMM_WORLD, ierror)
    call MPI_Scatter(numbers, 1, MPI_INTEGER, share, 1, MPI_INTEGER, 0, MPI_COMM_WORLD, ierror)
    call MPI_Allreduce(share, total, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, ierror)
    call MPI_Gather(share, 1, MPI_INTEGER, numbers, 1, MPI_INTEGER, 0, MPI_COMM_WORLD, ierror)
    call MPI_Comm_split(MPI_COMM_WORLD, mod(rank, 2), rank, half, ierror)
    call MPI_Reduce(mine, most, 1, MPI_INTEGER, MPI_MAX, 0, half, ierror)
    call MPI_Comm_free(half, ierror)
    call MPI_Barrier(MPI_COMM_WORLD, ierror)
    call MPI_Finalize(ierror)
    if (total(1) /= 18) stop 1
end program exchange
