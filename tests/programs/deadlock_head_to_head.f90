! Ranks 0 and 1 each wait for the other's message before they send their own, in Fortran.
! expect: error deadlock/cycle
! ends: hang
program head_to_head
    use mpi
    implicit none
    integer :: rank, value, ierror
    integer :: status(MPI_STATUS_SIZE)
    call MPI_Init(ierror)
    call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierror)
    value = rank
    if (rank < 2) then
        call MPI_Recv(value, 1, MPI_INTEGER, 1 - rank, 0, MPI_COMM_WORLD, status, ierror) ! <- deadlock/cycle
        call MPI_Send(value, 1, MPI_INTEGER, 1 - rank, 0, MPI_COMM_WORLD, ierror)
    end if
    call MPI_Finalize(ierror)
end program head_to_head
