! Rank 0 sends two reals, rank 1 receives one double, in modern Fortran: as many bytes, and garbage.
! expect: error match/type
! expect: warning leak/datatype
program match_type
    use mpi_f08
    implicit none
    type(MPI_Datatype) :: pair
    real :: halves(2)
    double precision :: whole
    integer :: rank, i

    call MPI_Init()
    call MPI_Comm_rank(MPI_COMM_WORLD, rank)
    do i = 1, 5
        if (rank == 0) call MPI_Send(halves, 2, MPI_REAL, 1, 0, MPI_COMM_WORLD) ! <- match/type
        if (rank == 1) then
            call MPI_Recv(whole, 1, MPI_DOUBLE_PRECISION, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE) ! <- match/type
        end if
    end do
    call MPI_Type_contiguous(2, MPI_REAL, pair) ! <- leak/datatype
    call MPI_Finalize()
end program
