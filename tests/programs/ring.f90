! A token goes round a ring in Fortran, with the mpi module, and its sum is reduced.
! expect: nothing
program ring
    use mpi
    implicit none
    integer :: rank, size, token, total, left, right, ierror
    integer :: status(MPI_STATUS_SIZE)
    call MPI_Init(ierror)
    call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierror)
    call MPI_Comm_size(MPI_COMM_WORLD, size, ierror)
    right = mod(rank + 1, size)
    left = mod(rank + size - 1, size)
    token = 0
    if (rank > 0) call MPI_Recv(token, 1, MPI_INTEGER, left, 0, MPI_COMM_WORLD, status, ierror)
    token = token + 1
    call MPI_Send(token, 1, MPI_INTEGER, right, 0, MPI_COMM_WORLD, ierror)
    if (rank == 0) call MPI_Recv(token, 1, MPI_INTEGER, left, 0, MPI_COMM_WORLD, status, ierror)
    call MPI_Allreduce(rank, total, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, ierror)
    if (total /= size * (size - 1) / 2) call MPI_Abort(MPI_COMM_WORLD, 1, ierror)
    if (rank == 0) then
        if (token /= size) call MPI_Abort(MPI_COMM_WORLD, 1, ierror)
        print '(a,i0)', 'the token is ', token
    end if
    call MPI_Finalize(ierror)
end program ring
