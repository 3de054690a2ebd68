/* Stands between a program and the disk (LD_PRELOAD): counts every call that changes something below one folder, writes
 * it down, and at a given number kills the process or makes the call fail. SQLite's commits come by here as well.
 *
 *   SHIM_FOLDER   the folder
 *   SHIM_LOG      a file, outside of it: «CALL LENGTH PATH» a line, in the order of the calls; optional
 *   SHIM_ONLY     the one sort of call that is counted, by its name; optional
 *   SHIM_AT       the number of the call, from 1; without it calls are only counted and written down
 *   SHIM_DO       kill: die before the call · half: die after half of what it writes · eio, enospc: it fails with that
 *   SHIM_ON       once · always: later calls fail as well
 *
 * A full disk refuses what needs room and lets go what does not. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(result, name, ...) ((result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

enum verdict { GO, HALF, FAIL };

static const char *folder, *only;
static size_t folder_len;
static int journal = -1;
static long at;
static int half, always, failure;
static atomic_long calls;

__attribute__((constructor)) static void begin(void) {
    const char *log = getenv("SHIM_LOG"), *number = getenv("SHIM_AT"), *what = getenv("SHIM_DO"), *on = getenv("SHIM_ON");
    folder = getenv("SHIM_FOLDER");
    only = getenv("SHIM_ONLY");
    folder_len = folder ? strlen(folder) : 0;
    at = number ? atol(number) : 0;
    half = what && !strcmp(what, "half");
    failure = !what ? 0 : !strcmp(what, "eio") ? EIO : !strcmp(what, "enospc") ? ENOSPC : 0;
    always = on && !strcmp(on, "always");
    if (log)
        journal = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
}

__attribute__((noreturn)) static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

/* What becomes of a call upon this path. */
static enum verdict judge(const char *call, const char *path, size_t length, int needs_room) {
    if (!folder || strncmp(path, folder, folder_len) || (path[folder_len] && path[folder_len] != '/'))
        return GO;
    if (journal >= 0) {
        char line[PATH_MAX + 64];
        int size = snprintf(line, sizeof line, "%s %zu %s\n", call, length, path);
        syscall(SYS_write, journal, line, (size_t)size);
    }
    if (only && strcmp(call, only))
        return GO;
    long number = atomic_fetch_add(&calls, 1) + 1;
    if (!at || number < at)
        return GO;
    if (failure) {
        if ((number > at && !always) || (failure == ENOSPC && !needs_room))
            return GO;
        errno = failure;
        return FAIL;
    }
    if (!half)
        die();
    return HALF;
}

static enum verdict judge_file(const char *call, int file, size_t length, int needs_room) {
    char link[32], path[PATH_MAX];
    int kept = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, sizeof path - 1);
    errno = kept;
    if (size <= 0)
        return GO;
    path[size] = 0;
    return judge(call, path, length, needs_room);
}

/* ---------------------------------------------------------------------------------------------------------- writes */

#define WRITE(name, params, args, prototype, length, write_half)                                                       \
    ssize_t name params {                                                                                              \
        switch (judge_file(#name, file, (length), 1)) {                                                                \
        case FAIL:                                                                                                     \
            return -1;                                                                                                 \
        case HALF:                                                                                                     \
            write_half;                                                                                                \
            die();                                                                                                     \
        case GO:;                                                                                                      \
        }                                                                                                              \
        return ((ssize_t(*) prototype)dlsym(RTLD_NEXT, #name))args;                                                    \
    }

static void half_write(int file, const void *bytes, size_t size) {
    if (size > 1)
        syscall(SYS_write, file, bytes, size / 2);
}

static void half_pwrite(int file, const void *bytes, size_t size, off_t offset) {
    if (size > 1)
        syscall(SYS_pwrite64, file, bytes, size / 2, offset);
}

static size_t total(const struct iovec *parts, int count) {
    size_t total = 0;
    for (int i = 0; i < count; i++)
        total += parts[i].iov_len;
    return total;
}

WRITE(write, (int file, const void *bytes, size_t size), (file, bytes, size), (int, const void *, size_t), size,
      half_write(file, bytes, size))
WRITE(pwrite, (int file, const void *bytes, size_t size, off_t offset), (file, bytes, size, offset),
      (int, const void *, size_t, off_t), size, half_pwrite(file, bytes, size, offset))
WRITE(pwrite64, (int file, const void *bytes, size_t size, off64_t offset), (file, bytes, size, offset),
      (int, const void *, size_t, off64_t), size, half_pwrite(file, bytes, size, offset))
WRITE(writev, (int file, const struct iovec *parts, int count), (file, parts, count),
      (int, const struct iovec *, int), total(parts, count), half_write(file, parts[0].iov_base, parts[0].iov_len))
WRITE(pwritev, (int file, const struct iovec *parts, int count, off_t offset), (file, parts, count, offset),
      (int, const struct iovec *, int, off_t), total(parts, count),
      half_pwrite(file, parts[0].iov_base, parts[0].iov_len, offset))
WRITE(pwritev64, (int file, const struct iovec *parts, int count, off64_t offset), (file, parts, count, offset),
      (int, const struct iovec *, int, off64_t), total(parts, count),
      half_pwrite(file, parts[0].iov_base, parts[0].iov_len, offset))
WRITE(copy_file_range, (int from, off64_t *from_at, int file, off64_t *file_at, size_t size, unsigned flags),
      (from, from_at, file, file_at, size, flags), (int, off64_t *, int, off64_t *, size_t, unsigned), size, (void)0)
WRITE(sendfile64, (int file, int from, off64_t *from_at, size_t size), (file, from, from_at, size),
      (int, int, off64_t *, size_t), size, (void)0)

/* --------------------------------------------------------------------------------------------------- the other calls */

/* There is no half of these: they die before the call. */
#define CALL(name, params, args, prototype, verdict)                                                                   \
    int name params {                                                                                                  \
        switch (verdict) {                                                                                             \
        case FAIL:                                                                                                     \
            return -1;                                                                                                 \
        case HALF:                                                                                                     \
            die();                                                                                                     \
        case GO:;                                                                                                      \
        }                                                                                                              \
        return ((int(*) prototype)dlsym(RTLD_NEXT, #name))args;                                                        \
    }

CALL(fsync, (int file), (file), (int), judge_file("fsync", file, 0, 1))
CALL(fdatasync, (int file), (file), (int), judge_file("fdatasync", file, 0, 1))
CALL(ftruncate, (int file, off_t size), (file, size), (int, off_t), judge_file("ftruncate", file, (size_t)size, 0))
CALL(ftruncate64, (int file, off64_t size), (file, size), (int, off64_t),
     judge_file("ftruncate", file, (size_t)size, 0))
CALL(fallocate64, (int file, int mode, off64_t from, off64_t size), (file, mode, from, size),
     (int, int, off64_t, off64_t), judge_file("fallocate", file, (size_t)size, 1))
CALL(rename, (const char *from, const char *to), (from, to), (const char *, const char *), judge("rename", from, 0, 0))
CALL(unlink, (const char *path), (path), (const char *), judge("unlink", path, 0, 0))
CALL(rmdir, (const char *path), (path), (const char *), judge("rmdir", path, 0, 0))
CALL(mkdir, (const char *path, mode_t mode), (path, mode), (const char *, mode_t),
     access(path, F_OK) ? judge("mkdir", path, 0, 1) : GO)

int unlinkat(int at_folder, const char *name, int flags) {
    char path[PATH_MAX], link[32];
    ssize_t size = 0;
    if (*name != '/' && at_folder >= 0) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", at_folder);
        size = readlink(link, path, sizeof path / 2);
        size = size < 0 ? 0 : size;
    }
    snprintf(path + size, sizeof path - (size_t)size, "%s%s", size ? "/" : "", name);
    switch (judge("unlink", path, 0, 0)) {
    case FAIL:
        return -1;
    case HALF:
        die();
    case GO:;
    }
    return REAL(int, unlinkat, int, const char *, int)(at_folder, name, flags);
}

/* Only an open that may make a file counts; a nameless one (O_TMPFILE) is made too. */
static int makes(int flags) { return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE; }

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...) {                                                                       \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = makes(flags) ? va_arg(rest, mode_t) : 0;                                                         \
        va_end(rest);                                                                                                  \
        int there = makes(flags) && (flags & O_TMPFILE) != O_TMPFILE && !access(path, F_OK);                           \
        switch (makes(flags) && !there ? judge("create", path, 0, 1) : GO) {                                           \
        case FAIL:                                                                                                     \
            return -1;                                                                                                 \
        case HALF:                                                                                                     \
            die();                                                                                                     \
        case GO:;                                                                                                      \
        }                                                                                                              \
        return REAL(int, name, const char *, int, ...)(path, flags, mode);                                             \
    }

OPEN(open)
OPEN(open64)
