! Rank 3 adds to an array while it is received into; all ranks add to the halves that are not.
! record: --guard
! expect: error buffer/touched
program guard_fortran
    use mpi
    implicit none
    integer, parameter :: n = 3000
    integer :: rank, size, request, ierror, status(MPI_STATUS_SIZE)
    double precision, allocatable :: x(:), y(:)
    call MPI_Init(ierror)
    call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierror)
    call MPI_Comm_size(MPI_COMM_WORLD, size, ierror)
    allocate(x(n), y(2 * n))
    x = rank
    y = 1
    call MPI_Irecv(y, n, MPI_DOUBLE_PRECISION, modulo(rank - 1, size), 0, MPI_COMM_WORLD, request, ierror)
    call add(y(n + 1:), n)
    if (rank == 3) call add(y, n)
    call MPI_Send(x, n, MPI_DOUBLE_PRECISION, modulo(rank + 1, size), 0, MPI_COMM_WORLD, ierror)
    call MPI_Wait(request, status, ierror)
    if (any(y(1:n) /= modulo(rank - 1, size)) .or. any(y(n + 1:) /= 2)) call MPI_Abort(MPI_COMM_WORLD, 1, ierror)
    call MPI_Finalize(ierror)
contains
    subroutine add(z, count)
        integer, intent(in) :: count
        double precision, intent(inout) :: z(count)
        integer :: i
        do i = 1, count
            z(i) = z(i) + 1
        end do
    end subroutine add
end program guard_fortran
