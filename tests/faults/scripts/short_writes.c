/* Preloaded into a saver: writes fewer bytes than it was asked to, runs out of space, or fails to
 * sync. Only files are hurt, not the standard streams, and only once it has said that it is saving.
 *
 * AT_MOST=n     no write writes more than n bytes
 * SPACE=n       there is space for n bytes in all, then ENOSPC
 * BAD_SYNC=n    the nth fsync fails with EIO
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int saving;

static long setting(const char *name)
{
	const char *value = getenv(name);
	return value ? atol(value) : -1;
}

ssize_t write(int fd, const void *data, size_t size)
{
	static long used;
	long at_most = setting("AT_MOST"), space = setting("SPACE");

	if (fd == 1 && size >= 6 && memcmp(data, "saving", 6) == 0)
		saving = 1;
	if (saving && fd > 2 && at_most >= 0 && size > (size_t)at_most)
		size = (size_t)at_most;
	if (saving && fd > 2 && space >= 0) {
		if (size > 0 && used >= space) {
			errno = ENOSPC;
			return -1;
		}
		if (size > (size_t)(space - used))
			size = (size_t)(space - used);
	}
	ssize_t written = syscall(SYS_write, fd, data, size);
	if (saving && fd > 2 && written > 0)
		used += written;
	return written;
}

int fsync(int fd)
{
	static long syncs;

	if (saving && ++syncs == setting("BAD_SYNC")) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}
