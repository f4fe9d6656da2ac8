/* SPDX-License-Identifier: EUPL-1.2
 *
 * What a power cut would leave, and a disk that fails once. Preloaded into a process, for the files of one folder:
 *
 * - HERSE_FOLDER: the folder. HERSE_IMAGE: another folder, which after each successful fsync or fdatasync of a file holds
 *   its whole content as it was then; after that of the folder itself, `.names` holds the names in it. Both are replaced
 *   by rename, so that the image is whole at every moment. A file that gets a second name has under it, too, what was
 *   synced before; the name itself counts with the folder's next sync.
 * - HERSE_FAIL_AT=n: the n-th write, truncation or sync of such a file fails with EIO, once, and leaves `.failed` in the
 *   image folder.
 *
 * Content is read through the descriptor that was synced: opening and closing the file would drop the process's locks.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long calls;

static void *next_of(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) abort();
    return found;
}

/* The name within the folder, "" for the folder itself, NULL for anything else. */
static const char *name_in(const char *path) {
    const char *folder = getenv("HERSE_FOLDER");
    if (!folder) return NULL;
    size_t prefix = strlen(folder);
    if (strncmp(path, folder, prefix)) return NULL;
    if (!path[prefix]) return path + prefix;
    return path[prefix] == '/' ? path + prefix + 1 : NULL;
}

static const char *name_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return NULL;
    path[length] = 0;
    return name_in(path);
}

static int fails(int fd) {
    char path[PATH_MAX];
    const char *at = getenv("HERSE_FAIL_AT");
    if (!at || !name_of(fd, path)) return 0;
    pthread_mutex_lock(&lock);
    int now = ++calls == atol(at);
    pthread_mutex_unlock(&lock);
    if (!now) return 0;
    char mark[PATH_MAX];
    snprintf(mark, sizeof mark, "%s/.failed", getenv("HERSE_IMAGE"));
    close(open(mark, O_CREAT | O_WRONLY, 0600));
    errno = EIO;
    return 1;
}

static void write_all(int fd, const char *data, size_t size) {
    ssize_t (*real)(int, const void *, size_t) = next_of("write");
    while (size) {
        ssize_t done = real(fd, data, size);
        if (done <= 0) abort();
        data += done, size -= done;
    }
}

static void keep(int fd) {
    char path[PATH_MAX], temporary[PATH_MAX], final[PATH_MAX], block[1 << 16];
    const char *image = getenv("HERSE_IMAGE"), *name = name_of(fd, path);
    if (!image || !name) return;
    pthread_mutex_lock(&lock);
    snprintf(temporary, sizeof temporary, "%s/.being-kept", image);
    snprintf(final, sizeof final, "%s/%s", image, *name ? name : ".names");
    int out = open(temporary, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (out < 0) abort();
    if (*name) {
        off_t offset = 0;
        for (ssize_t got; (got = pread(fd, block, sizeof block, offset)) > 0; offset += got) write_all(out, block, got);
    } else {
        DIR *listing = opendir(path);
        if (!listing) abort();
        for (struct dirent *entry; (entry = readdir(listing));) {
            if (entry->d_name[0] == '.') continue;
            write_all(out, entry->d_name, strlen(entry->d_name));
            write_all(out, "\n", 1);
        }
        closedir(listing);
    }
    close(out);
    if (rename(temporary, final)) abort();
    pthread_mutex_unlock(&lock);
}

static int synced(int fd, const char *call) {
    int (*real)(int) = next_of(call);
    if (fails(fd)) return -1;
    int result = real(fd), kept = errno;
    if (!result) keep(fd);
    errno = kept;
    return result;
}

int fsync(int fd) { return synced(fd, "fsync"); }
int fdatasync(int fd) { return synced(fd, "fdatasync"); }

int link(const char *old, const char *new) {
    int (*real)(const char *, const char *) = next_of("link");
    const char *image = getenv("HERSE_IMAGE"), *from = name_in(old), *to = name_in(new);
    int result = real(old, new), kept = errno;
    if (!result && image && from && to) {
        char before[PATH_MAX], after[PATH_MAX];
        snprintf(before, sizeof before, "%s/%s", image, from);
        snprintf(after, sizeof after, "%s/%s", image, to);
        if (real(before, after) && errno != ENOENT) abort(); /* ENOENT: nothing of it was synced */
    }
    errno = kept;
    return result;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    ssize_t (*real)(int, const void *, size_t, off_t) = next_of("pwrite");
    return fails(fd) ? -1 : real(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
    ssize_t (*real)(int, const void *, size_t, off64_t) = next_of("pwrite64");
    return fails(fd) ? -1 : real(fd, data, size, offset);
}

int ftruncate(int fd, off_t size) {
    int (*real)(int, off_t) = next_of("ftruncate");
    return fails(fd) ? -1 : real(fd, size);
}

int ftruncate64(int fd, off64_t size) {
    int (*real)(int, off64_t) = next_of("ftruncate64");
    return fails(fd) ? -1 : real(fd, size);
}
