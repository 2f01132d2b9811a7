// Attributes, info objects and error handlers, made and set and freed.
// expect: nothing
#include "require.h"
#include <string.h>

static int freed;

static int forget(MPI_Comm comm, int key, void *value, void *extra) {
    (void)comm;
    (void)key;
    (void)extra;
    freed += *(int *)value;
    return MPI_SUCCESS;
}

static void seen(MPI_Comm *comm, int *code, ...) {
    (void)comm;
    (void)code;
}

static void seen_in_window(MPI_Win *window, int *code, ...) {
    (void)window;
    (void)code;
}

int main(int argc, char **argv) {
    int key, of_types, value = 7, *got, *limit, flag, count, *unit, *memory;
    char key_name[MPI_MAX_INFO_KEY + 1], text[MPI_MAX_INFO_VAL + 1], name[MPI_MAX_OBJECT_NAME];
    MPI_Comm copy;
    MPI_Datatype pair;
    MPI_Errhandler handler, window_handler, old;
    MPI_Info info, same;
    MPI_Win window;
    MPI_Aint *bytes;
    MPI_Init(&argc, &argv);
    MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, &limit, &flag);
    require(flag && *limit >= 32767);
    MPI_Comm_create_keyval(MPI_COMM_DUP_FN, forget, &key, NULL);
    MPI_Comm_set_attr(MPI_COMM_WORLD, key, &value);
    MPI_Comm_get_attr(MPI_COMM_WORLD, key, &got, &flag);
    require(flag && got == &value);
    MPI_Comm_dup(MPI_COMM_WORLD, &copy);
    MPI_Comm_free(&copy);
    MPI_Comm_delete_attr(MPI_COMM_WORLD, key);
    require(freed == 14);
    MPI_Comm_free_keyval(&key);

    MPI_Type_contiguous(2, MPI_INT, &pair);
    MPI_Type_create_keyval(MPI_TYPE_NULL_COPY_FN, MPI_TYPE_NULL_DELETE_FN, &of_types, NULL);
    MPI_Type_set_attr(pair, of_types, &value);
    MPI_Type_get_attr(pair, of_types, &got, &flag);
    MPI_Type_free_keyval(&of_types);
    MPI_Type_free(&pair);

    MPI_Info_create(&info);
    MPI_Info_set(info, "no_locks", "true");
    MPI_Info_set(info, "colour", "red");
    MPI_Info_delete(info, "colour");
    MPI_Info_get(info, "no_locks", MPI_MAX_INFO_VAL, text, &flag);
    require(flag && strcmp(text, "true") == 0);
    MPI_Info_get(info, "colour", MPI_MAX_INFO_VAL, text, &flag);
    require(!flag);
    MPI_Info_get_nkeys(info, &count);
    MPI_Info_get_nthkey(info, 0, key_name);
    MPI_Info_dup(info, &same);
    MPI_Win_allocate(sizeof(int), sizeof(int), same, MPI_COMM_WORLD, &memory, &window);
    MPI_Info_free(&same);
    MPI_Info_free(&info);
    MPI_Win_get_attr(window, MPI_WIN_SIZE, &bytes, &flag);
    MPI_Win_get_attr(window, MPI_WIN_DISP_UNIT, &unit, &flag);
    MPI_Win_get_attr(window, MPI_WIN_BASE, &got, &flag);
    require(*bytes == sizeof(int));
    require(*unit == sizeof(int));
    require(got != NULL);
    MPI_Win_set_name(window, "a window");
    MPI_Win_get_name(window, name, &count);
    require(strcmp(name, "a window") == 0);

    MPI_Win_create_errhandler(seen_in_window, &window_handler);
    MPI_Win_set_errhandler(window, window_handler);
    MPI_Errhandler_free(&window_handler);
    MPI_Win_free(&window);
    MPI_Comm_create_errhandler(seen, &handler);
    MPI_Comm_get_errhandler(MPI_COMM_WORLD, &old);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, handler);
    MPI_Comm_call_errhandler(MPI_COMM_WORLD, MPI_ERR_OTHER);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, old);
    MPI_Errhandler_free(&old);
    MPI_Errhandler_free(&handler);
    MPI_Finalize();
    return 0;
}
