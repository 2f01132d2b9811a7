// Every rank runs other programs in all the ways there are, and forks a process that calls MPI, which no forked process may.
// expect: nothing
#define _DEFAULT_SOURCE
#include "require.h"
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int status_of(pid_t child) {
    int status = -1;
    require(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

int main(int argc, char **argv) {
    int rank, size, sum = 0, flag = 0;
    char *const command[] = {"sh", "-c", "exit 7", NULL};
    pid_t child;
    require(system("exit 3") == 3 << 8); // before MPI is there
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    require(system("exit 4") == 4 << 8);
    require(posix_spawnp(&child, "sh", NULL, NULL, command, environ) == 0 && status_of(child) == 7);
    child = vfork();
    if (child == 0) {
        execvp("sh", command);
        _exit(1);
    }
    require(status_of(child) == 7);
    child = fork();
    if (child == 0) {
        MPI_Initialized(&flag);
        MPI_Comm_rank(MPI_COMM_WORLD, &rank);
        _exit(flag ? 5 : 1);
    }
    require(status_of(child) == 5);
    FILE *pipe = popen("echo word", "r");
    char word[8] = "";
    require(pipe && fgets(word, sizeof word, pipe) && word[3] == 'd');
    require(pclose(pipe) == 0);
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    require(sum == size * (size - 1) / 2);
    MPI_Finalize();
    return 0;
}
