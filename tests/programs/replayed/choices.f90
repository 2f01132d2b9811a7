! Prints what MPI chose, of a program in Fortran: positions are counted from 1 here, statuses are arrays, handles are integers.
! The rank that LATE names is late.
program choices
  use mpi
  implicit none
  integer, parameter :: rounds = 6, tag = 7, answer = 8, slots = 2
  integer :: rank, ranks, ierr, i, left, posted, place, source, late_rank, length
  integer :: status(MPI_STATUS_SIZE), requests(slots), values(slots), value, count, indices(slots)
  integer :: statuses(MPI_STATUS_SIZE, slots)
  logical :: flag
  character(len=8) :: late

  call MPI_Init(ierr)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierr)
  call MPI_Comm_size(MPI_COMM_WORLD, ranks, ierr)
  late_rank = -1
  call get_environment_variable('LATE', late, length)
  if (length > 0) read (late, *) late_rank
  if (rank == 0) then
    do i = 1, (ranks - 1) * rounds
      call MPI_Recv(value, 1, MPI_INTEGER, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, status, ierr)
      print *, 'received', value, 'from', status(MPI_SOURCE), 'with tag', status(MPI_TAG)
      call MPI_Send(value, 1, MPI_INTEGER, status(MPI_SOURCE), answer, MPI_COMM_WORLD, ierr)
    end do
    left = (ranks - 1) * rounds
    do posted = 1, slots
      call MPI_Irecv(values(posted), 1, MPI_INTEGER, MPI_ANY_SOURCE, tag, MPI_COMM_WORLD, requests(posted), ierr)
    end do
    posted = slots
    do while (left > 0)
      call MPI_Testany(slots, requests, place, flag, status, ierr)
      if (.not. flag) then
        call MPI_Waitsome(slots, requests, count, indices, statuses, ierr)
        place = indices(1)
        status = statuses(:, 1)
      else
        count = 1
        indices(1) = place
        statuses(:, 1) = status
      end if
      do i = 1, count
        place = indices(i)
        value = values(place)
        source = statuses(MPI_SOURCE, i)
        print *, 'slot', place, 'has', value, 'from', source, 'at once:', flag
        if (posted < (ranks - 1) * rounds) then
          call MPI_Irecv(values(place), 1, MPI_INTEGER, MPI_ANY_SOURCE, tag, MPI_COMM_WORLD, requests(place), ierr)
          posted = posted + 1
        end if
        call MPI_Send(value, 1, MPI_INTEGER, source, answer, MPI_COMM_WORLD, ierr)
      end do
      left = left - count
    end do
  else
    do i = 1, 2 * rounds
      if (rank == late_rank) call wait_a_while()
      call MPI_Send(rank * 100 + i, 1, MPI_INTEGER, 0, tag, MPI_COMM_WORLD, ierr)
      call MPI_Recv(value, 1, MPI_INTEGER, 0, answer, MPI_COMM_WORLD, status, ierr)
    end do
  end if
  call MPI_Finalize(ierr)

contains

  subroutine wait_a_while()
    integer :: start, now, rate
    call system_clock(start, rate)
    do
      call system_clock(now)
      if (now - start > rate / 50) exit
    end do
  end subroutine
end program
