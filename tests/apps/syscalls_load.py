# SPDX-License-Identifier: Apache-2.0
"""An interpreter can make what its scripts can ask for: this one asks for much of the standard library's reach."""
import contextlib
import fcntl
import mmap
import os
import resource
import select
import signal
import socket
import subprocess
import tempfile
import threading
import time


def quietly(function, *arguments, **named):
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return function(*arguments, **named)


os.chdir(tempfile.mkdtemp())
fd = os.open("f", os.O_RDWR | os.O_CREAT)
for call in ("getpid getppid getuid geteuid getgid getegid getpgrp getgroups getresuid getresgid getcwd uname times sched_yield sync "
             "getloadavg cpu_count ctermid getlogin").split():
    quietly(getattr(os, call))
quietly(os.getpgid, 0), quietly(os.getsid, 0), quietly(os.getpriority, 0, 0), quietly(os.setpriority, 0, 0, 0)
quietly(os.nice, 0), quietly(os.umask, 0o22)
for path_call in (lambda: os.mkdir("d"), lambda: os.link("f", "g"), lambda: os.symlink("f", "s"), lambda: os.readlink("s"),
                  lambda: os.rename("g", "h"), lambda: os.chmod("f", 0o600), lambda: os.chown("f", 0, 0), lambda: os.lchown("s", 0, 0),
                  lambda: os.truncate("f", 100), lambda: os.utime("f"), lambda: os.stat("f"), lambda: os.lstat("s"),
                  lambda: os.access("f", os.R_OK), lambda: os.statvfs("."), lambda: os.mkfifo("p"), lambda: os.mknod("n"),
                  lambda: os.listdir("."), lambda: os.setxattr("f", "user.a", b"b"), lambda: os.getxattr("f", "user.a"),
                  lambda: os.listxattr("f"), lambda: os.removexattr("f", "user.a"), lambda: os.rmdir("d"), lambda: os.unlink("h"),
                  lambda: os.chroot("/nowhere"), lambda: os.access("f", os.R_OK, effective_ids=True),
                  lambda: os.fwalk(".").__next__(), lambda: os.replace("n", "m"), lambda: os.scandir(fd),
                  lambda: os.link("f", "k", src_dir_fd=os.open(".", 0)), lambda: os.rename("k", "l", src_dir_fd=os.open(".", 0)),
                  lambda: os.mkdir("e", dir_fd=os.open(".", 0)), lambda: os.unlink("l", dir_fd=os.open(".", 0)),
                  lambda: os.symlink("f", "t", dir_fd=os.open(".", 0)), lambda: os.readlink("t", dir_fd=os.open(".", 0)),
                  lambda: os.chmod("f", 0o600, dir_fd=os.open(".", 0)), lambda: os.chown("f", 0, 0, dir_fd=os.open(".", 0)),
                  lambda: os.mknod("o", dir_fd=os.open(".", 0)), lambda: os.stat("f", dir_fd=os.open(".", 0))):
    quietly(path_call)
os.write(fd, b"x" * 5000)
for fd_call in (lambda: os.lseek(fd, 0, 0), lambda: os.read(fd, 10), lambda: os.pread(fd, 10, 0), lambda: os.pwrite(fd, b"x", 0),
                lambda: os.preadv(fd, [bytearray(4)], 0), lambda: os.pwritev(fd, [b"y"], 0), lambda: os.readv(fd, [bytearray(4)]),
                lambda: os.preadv(fd, [bytearray(4)], 0, os.RWF_HIPRI), lambda: os.pwritev(fd, [b"y"], 0, os.RWF_SYNC),
                lambda: os.writev(fd, [b"a", b"b"]), lambda: os.fsync(fd), lambda: os.fdatasync(fd), lambda: os.ftruncate(fd, 9000),
                lambda: os.fchmod(fd, 0o644), lambda: os.fchown(fd, 0, 0), lambda: os.fstat(fd), lambda: os.fstatvfs(fd),
                lambda: os.posix_fallocate(fd, 0, 100), lambda: os.posix_fadvise(fd, 0, 0, 0), lambda: os.dup(fd),
                lambda: os.dup2(fd, 50), lambda: os.dup2(fd, 51, inheritable=False), lambda: os.copy_file_range(fd, 50, 1),
                lambda: os.sendfile(50, fd, 0, 10), lambda: os.lockf(fd, os.F_LOCK, 0), lambda: fcntl.flock(fd, fcntl.LOCK_UN),
                lambda: fcntl.ioctl(fd, 0x5401), lambda: os.splice(fd, 50, 1), lambda: os.closerange(60, 70),
                lambda: os.get_terminal_size(), lambda: os.isatty(fd), lambda: os.fchdir(fd), lambda: os.memfd_create("m"),
                lambda: os.eventfd(1), lambda: os.pidfd_open(os.getpid()), lambda: os.openpty(), lambda: os.getrandom(4),
                lambda: os.set_blocking(fd, True), lambda: os.pipe(), lambda: os.pipe2(os.O_CLOEXEC)):
    quietly(fd_call)
area = mmap.mmap(fd, 4096)
area[0] = 1
quietly(area.flush), quietly(area.madvise, mmap.MADV_NORMAL), quietly(area.resize, 8192)
area.close()
for call in (lambda: os.sched_getaffinity(0), lambda: os.sched_setaffinity(0, os.sched_getaffinity(0)),
             lambda: os.sched_getscheduler(0), lambda: os.sched_getparam(0), lambda: os.sched_rr_get_interval(0),
             lambda: os.sched_get_priority_max(0), lambda: os.sched_get_priority_min(0),
             lambda: os.sched_setparam(0, os.sched_getparam(0)),
             lambda: os.sched_setscheduler(0, 0, os.sched_getparam(0)), lambda: resource.getrusage(0),
             lambda: resource.getrlimit(7), lambda: resource.setrlimit(7, resource.getrlimit(7)),
             lambda: os.setpgid(0, 0), lambda: os.setsid(), lambda: os.setgroups([0]), lambda: os.setresuid(0, 0, 0),
             lambda: os.setresgid(0, 0, 0), lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setreuid(0, 0),
             lambda: os.setregid(0, 0), lambda: os.seteuid(0), lambda: os.setegid(0),
             lambda: time.clock_getres(0), lambda: time.clock_settime(0, -1.0), lambda: time.clock_gettime(3), lambda: time.sleep(0.001),
             lambda: socket.if_nameindex()):
    quietly(call)
signal.signal(signal.SIGUSR1, lambda *_: None)
os.kill(os.getpid(), signal.SIGUSR1), signal.raise_signal(signal.SIGUSR1)
signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.sigpending(), signal.setitimer(signal.ITIMER_REAL, 0), signal.alarm(0)
quietly(signal.getitimer, signal.ITIMER_REAL), quietly(signal.sigtimedwait, [signal.SIGUSR2], 0), quietly(signal.siginterrupt, signal.SIGUSR1, False)
quietly(signal.pthread_kill, threading.main_thread().ident, 0)
quietly(signal.pidfd_send_signal, os.pidfd_open(os.getpid()), 0)
worker = threading.Thread(target=time.sleep, args=(0.01,))
worker.start(), worker.join()
a, b = socket.socketpair()
a.send(b"x"), b.recv(1), a.sendmsg([b"y"]), b.recvmsg(1), a.sendall(b"z"), b.recvfrom(1)
a.setsockopt(1, 2, 1), a.getsockopt(1, 2), a.getsockname(), quietly(a.getpeername)
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
accepted, _ = listener.accept()
select.select([client], [], [], 0), client.shutdown(2), accepted.close()
datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
quietly(datagram.sendto, b"x", ("127.0.0.1", 9))
poller = select.poll()
poller.register(a), poller.poll(0)
epoll = select.epoll()
epoll.register(a), epoll.poll(0)
quietly(socket.getaddrinfo, "localhost", 80), quietly(socket.gethostname)
subprocess.run(["true"], check=False), subprocess.run("true", shell=True, check=False), os.system("true")
child = os.fork()
if child == 0:
    os._exit(0)
os.waitpid(child, 0), quietly(os.waitid, os.P_ALL, 0, os.WEXITED | os.WNOHANG), quietly(os.wait3, os.WNOHANG)
quietly(os.posix_spawn, "/bin/true", ["true"], {}), quietly(os.wait)
