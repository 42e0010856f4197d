/* A file system that fails, hangs or keeps another time, for one path of one process.

   Loaded by LD_PRELOAD; stands in the way of the calls by which an interpreter opens, stats and
   reads. FAULT_PATH is the file it is about. FAULT_ORDER names a file with the order of the moment,
   `CALL WHAT [TICK]`, read anew at each call: CALL is link, stat, open, fstat, read, rest (what is
   read after the first five bytes) or any; WHAT is the number of an error, or `hang`, which lasts
   30 s or until there is another order. CALL `clock` shifts times by WHAT nanoseconds and rounds
   them down to TICK nanoseconds. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DESCRIPTORS 65536
#define HANG_TURNS 3000 /* of 10 ms */
#define FIRST 5

static unsigned char ours[DESCRIPTORS];

struct order {
    char call[16];
    char what[32];
    long long tick;
};

static struct order ordered(void)
{
    struct order order = {"", "", 0};
    char text[96] = "";
    const char *path = getenv("FAULT_ORDER");
    int file = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
    if (file >= 0) {
        syscall(SYS_read, file, text, sizeof text - 1);
        syscall(SYS_close, file);
        sscanf(text, "%15s %31s %lld", order.call, order.what, &order.tick);
    }
    return order;
}

static int is_ours(const char *path)
{
    const char *target = getenv("FAULT_PATH");
    return path && target && !strcmp(path, target);
}

static int descriptor_is_ours(int file)
{
    return file >= 0 && file < DESCRIPTORS && ours[file];
}

/* Give 0 to go on, or -1 with errno set. */
static int obeyed(const char *call)
{
    struct order order = ordered();
    if (strcmp(order.call, call) && strcmp(order.call, "any"))
        return 0;
    if (strcmp(order.what, "hang")) {
        errno = atoi(order.what);
        return -1;
    }
    for (int turn = 0; turn < HANG_TURNS; turn++) {
        struct timespec moment = {0, 10000000};
        nanosleep(&moment, NULL);
        struct order now = ordered();
        if (strcmp(now.call, order.call) || strcmp(now.what, order.what))
            break;
    }
    return 0;
}

static void shift_time(struct timespec *time, long long by, long long tick)
{
    long long at = time->tv_sec * 1000000000LL + time->tv_nsec;
    at = (tick > 0 ? at - at % tick : at) + by;
    time->tv_sec = at / 1000000000LL;
    time->tv_nsec = at % 1000000000LL;
}

static int shifted(int result, struct stat *status)
{
    struct order order = ordered();
    if (!result && !strcmp(order.call, "clock")) {
        shift_time(&status->st_mtim, atoll(order.what), order.tick);
        shift_time(&status->st_ctim, atoll(order.what), order.tick);
    }
    return result;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define STAT(name)                                                                                 \
    int name(const char *restrict path, struct stat *restrict status)                              \
    {                                                                                              \
        if (!is_ours(path))                                                                        \
            return REAL(name)(path, status);                                                       \
        return obeyed("stat") ? -1 : shifted(REAL(name)(path, status), status);                    \
    }

STAT(stat)
STAT(lstat)

int fstat(int file, struct stat *status)
{
    if (!descriptor_is_ours(file))
        return REAL(fstat)(file, status);
    return obeyed("fstat") ? -1 : shifted(REAL(fstat)(file, status), status);
}

int fstatat(int at, const char *restrict path, struct stat *restrict status, int flags)
{
    if (!is_ours(path))
        return REAL(fstatat)(at, path, status, flags);
    return obeyed("stat") ? -1 : shifted(REAL(fstatat)(at, path, status, flags), status);
}

/* The same under the names of large files: struct stat64 is struct stat on every 64-bit machine. */
_Static_assert(sizeof(struct stat) == sizeof(struct stat64), "a 64-bit machine is needed");
int stat64(const char *restrict path, struct stat64 *restrict status)
{
    return stat(path, (struct stat *)status);
}
int lstat64(const char *restrict path, struct stat64 *restrict status)
{
    return lstat(path, (struct stat *)status);
}
int fstat64(int file, struct stat64 *status)
{
    return fstat(file, (struct stat *)status);
}
int fstatat64(int at, const char *restrict path, struct stat64 *restrict status, int flags)
{
    return fstatat(at, path, (struct stat *)status, flags);
}

ssize_t readlink(const char *restrict path, char *restrict to, size_t size)
{
    if (is_ours(path) && obeyed("link"))
        return -1;
    return REAL(readlink)(path, to, size);
}

static int opened(int at, const char *path, int flags, mode_t mode)
{
    int found = is_ours(path);
    if (found && obeyed("open"))
        return -1;
    int file = (int)syscall(SYS_openat, at, path, flags, mode);
    if (file >= 0 && file < DESCRIPTORS)
        ours[file] = (unsigned char)found;
    return file;
}

#define OPEN(name, first, at)                                                                      \
    int name(first const char *path, int flags, ...)                                               \
    {                                                                                              \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;                    \
        va_end(more);                                                                              \
        return opened(at, path, flags, mode);                                                      \
    }

#define NONE
#define DIRECTORY int directory,
OPEN(open, NONE, AT_FDCWD)
OPEN(open64, NONE, AT_FDCWD)
OPEN(openat, DIRECTORY, directory)
OPEN(openat64, DIRECTORY, directory)

ssize_t read(int file, void *to, size_t size)
{
    if (!descriptor_is_ours(file))
        return REAL(read)(file, to, size);
    struct order order = ordered();
    if (!strcmp(order.call, "rest")) {
        if (lseek(file, 0, SEEK_CUR) == 0)
            size = size < FIRST ? size : FIRST;
        else if (obeyed("rest"))
            return -1;
    } else if (obeyed("read")) {
        return -1;
    }
    return REAL(read)(file, to, size);
}

int close(int file)
{
    if (file >= 0 && file < DESCRIPTORS)
        ours[file] = 0;
    return REAL(close)(file);
}
