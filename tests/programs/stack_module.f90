! Calls through a module of the program's own, in modern Fortran: the stack begins behind the layer of the MPI library.
! expect: nothing
! stack: MPI_Allreduce: communication::total < solve < stack_module
! stack: MPI_Send: communication::pass < solve < stack_module
module communication
    use mpi_f08
    implicit none
contains
    function total(mine)
        integer, intent(in) :: mine
        integer :: total
        call MPI_Allreduce(mine, total, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD)
        total = total + 1
    end function

    subroutine pass(value)
        integer, intent(inout) :: value
        integer :: rank
        call MPI_Comm_rank(MPI_COMM_WORLD, rank)
        if (rank == 0) call MPI_Send(value, 1, MPI_INTEGER, 1, 3, MPI_COMM_WORLD)
        if (rank == 1) call MPI_Recv(value, 1, MPI_INTEGER, 0, 3, MPI_COMM_WORLD, MPI_STATUS_IGNORE)
        value = value + 1
    end subroutine
end module

program stack_module
    use mpi_f08
    implicit none
    integer :: value, step

    call MPI_Init()
    value = 1
    do step = 1, 5
        call solve(value)
    end do
    call MPI_Finalize()
contains
    subroutine solve(value)
        use communication
        integer, intent(inout) :: value
        call pass(value)
        value = total(value) + value
    end subroutine
end program
