// Calls from frames of every kind, built without frame pointers: recursion, frames of variable size, aligned frames, callbacks of the C
// library, a thread with a small stack, a coroutine, a signal handler.
// expect: nothing
// stack: MPI_Comm_rank: descend < descend < descend < descend < main
// stack: MPI_Comm_size: vary < main
// stack: MPI_Wtick: align < main
// stack: MPI_Is_thread_main: compare
// stack: MPI_Query_thread: small
// stack: MPI_Get_address: coroutine
// stack: MPI_Initialized: handle
// stack: MPI_Finalize: main
#define _GNU_SOURCE
#include <mpi.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#pragma GCC optimize("O2,omit-frame-pointer")

static volatile int sink;
static ucontext_t outside, inside;

// The call is not the last thing that a function does, or it would be a jump.
#define KEEP_FRAME() __asm__ volatile("" ::: "memory")

__attribute__((noinline)) static void descend(int depth) {
    volatile char room[40];
    room[0] = (char)depth;
    if (depth == 0) {
        int rank;
        MPI_Comm_rank(MPI_COMM_WORLD, &rank);
        sink = rank;
    } else {
        descend(depth - 1);
    }
    room[1] = room[0];
    KEEP_FRAME();
}

__attribute__((noinline)) static void vary(int bytes) {
    char *room = __builtin_alloca(bytes);
    memset(room, 1, bytes);
    int size;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    sink = room[bytes - 1] + size;
    KEEP_FRAME();
}

__attribute__((noinline)) static void align(int bytes) {
    struct {
        double numbers[8];
    } __attribute__((aligned(64))) block;
    char *room = __builtin_alloca(bytes);
    memset(room, 0, bytes);
    block.numbers[bytes % 8] = MPI_Wtick();
    __asm__ volatile("" ::"r"(&block), "r"(room) : "memory");
}

static int compare(const void *a, const void *b) {
    int flag;
    MPI_Is_thread_main(&flag);
    sink = flag;
    return *(const int *)a - *(const int *)b;
}

static void *small(void *argument) {
    int level;
    MPI_Query_thread(&level);
    sink = level;
    return argument;
}

static void coroutine(void) {
    MPI_Aint address = 0;
    MPI_Get_address(&address, &address);
    sink = (int)address;
    swapcontext(&inside, &outside);
}

static void handle(int signal) {
    int flag;
    MPI_Initialized(&flag);
    sink = flag + signal;
}

// Each time on another stack, which is gone after that.
static void run_coroutine(size_t bytes) {
    char *stack = malloc(bytes);
    getcontext(&inside);
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = bytes;
    inside.uc_link = NULL;
    makecontext(&inside, coroutine, 0);
    swapcontext(&outside, &inside);
    free(stack);
}

int main(int argc, char **argv) {
    int level, numbers[] = {3, 1, 2};
    MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &level);
    for (int i = 0; i < 3; i++) {
        descend(3);
        descend(i);
        vary(100 + 1000 * i);
        align(16 + 100 * i);
        run_coroutine(256 * 1024 << i);
    }
    qsort(numbers, 3, sizeof numbers[0], compare);
    signal(SIGUSR1, handle);
    raise(SIGUSR1);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 * 1024);
    for (int i = 0; i < 3; i++) {
        pthread_t thread;
        pthread_create(&thread, &attributes, small, NULL);
        pthread_join(thread, NULL);
    }
    MPI_Finalize();
    return 0;
}
