// A file is written and read in every way: at offsets, by views, by a shared pointer, alone, together, in two halves, with requests.
// expect: nothing
#include "require.h"
#include <string.h>

#define COUNT 4

int main(int argc, char **argv) {
    int rank, size, mine[COUNT], back[COUNT], amode, flag;
    MPI_Offset offset, bytes;
    MPI_Aint extent;
    MPI_Datatype rows, etype, filetype;
    MPI_File file;
    MPI_Group group;
    MPI_Info info;
    MPI_Request request;
    MPI_Status status;
    char representation[MPI_MAX_DATAREP_STRING];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    for (int i = 0; i < COUNT; i++)
        mine[i] = 10 * rank + i;
    MPI_File_open(MPI_COMM_WORLD, "file.dat", MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_DELETE_ON_CLOSE, MPI_INFO_NULL, &file);
    MPI_File_get_amode(file, &amode);
    MPI_File_get_group(file, &group);
    MPI_Group_free(&group);
    MPI_File_get_info(file, &info);
    MPI_Info_free(&info);
    MPI_File_set_size(file, 0);
    MPI_File_preallocate(file, size * sizeof mine);

    offset = rank * sizeof mine;
    MPI_File_write_at(file, offset, mine, COUNT, MPI_INT, MPI_STATUS_IGNORE);
    MPI_File_sync(file);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_File_read_at_all(file, offset, back, COUNT, MPI_INT, &status);
    require(memcmp(mine, back, sizeof mine) == 0);
    MPI_File_seek(file, offset, MPI_SEEK_SET);
    MPI_File_get_position(file, &offset);
    MPI_File_write(file, mine, COUNT, MPI_INT, MPI_STATUS_IGNORE);
    MPI_File_iread_at(file, rank * sizeof mine, back, COUNT, MPI_INT, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_File_iwrite_at(file, rank * sizeof mine, mine, COUNT, MPI_INT, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);

    MPI_Type_vector(COUNT, 1, size, MPI_INT, &rows);
    MPI_Type_commit(&rows);
    MPI_File_set_view(file, rank * sizeof(int), MPI_INT, rows, "native", MPI_INFO_NULL);
    MPI_File_write_all(file, mine, COUNT, MPI_INT, MPI_STATUS_IGNORE);
    MPI_File_sync(file);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_File_sync(file);
    MPI_File_seek(file, 0, MPI_SEEK_SET);
    memset(back, 0, sizeof back);
    MPI_File_read_all_begin(file, back, COUNT, MPI_INT);
    MPI_File_read_all_end(file, back, MPI_STATUS_IGNORE);
    require(memcmp(mine, back, sizeof mine) == 0);
    MPI_File_get_view(file, &offset, &etype, &filetype, representation);
    MPI_File_get_byte_offset(file, 0, &bytes);
    MPI_File_get_type_extent(file, MPI_INT, &extent);
    require(extent == sizeof(int) && bytes == rank * (MPI_Offset)sizeof(int));

    MPI_File_set_view(file, 0, MPI_INT, MPI_INT, "native", MPI_INFO_NULL);
    MPI_File_seek_shared(file, 0, MPI_SEEK_SET);
    MPI_File_write_ordered(file, mine, COUNT, MPI_INT, MPI_STATUS_IGNORE);
    MPI_File_seek_shared(file, 0, MPI_SEEK_SET);
    MPI_File_read_shared(file, back, 1, MPI_INT, MPI_STATUS_IGNORE);
    MPI_File_get_position_shared(file, &offset);
    MPI_File_set_atomicity(file, 1);
    MPI_File_get_atomicity(file, &flag);
    MPI_File_get_size(file, &bytes);
    require(flag && bytes >= size * (MPI_Offset)sizeof mine);
    MPI_Type_free(&rows);
    MPI_File_close(&file);
    if (rank == 0)
        puts("a file in every way");
    MPI_Finalize();
    return 0;
}
