#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The run-time systems of tests/apps: what `uni inspect` finds against what strace sees of a script that asks for much of
# what scripts can ask for.
. "$(dirname "$0")/syscalls.bash"
export HOME=$PWD

try_perl() {
  cat > load.pl <<'P'
use strict; use POSIX; use Socket; use IO::Socket::INET; use IO::Poll; use Fcntl qw(:flock); use File::Temp; use Time::HiRes; use IO::Socket::UNIX;
open(my $f, ">", "f"); print $f "x" x 100; truncate($f, 50); flock($f, LOCK_EX); seek($f, 0, 0); chmod 0600, $f; chown 0, 0, $f; stat $f; close $f;
link "f", "g"; symlink "f", "s"; readlink "s"; lstat "s"; rename "g", "h"; chmod 0600, "f"; chown 0, 0, "f"; utime 1, 1, "f"; truncate "f", 3; unlink "h";
mkdir "d"; opendir(my $d, "."); readdir $d; telldir $d; rewinddir $d; chdir $d; closedir $d; rmdir "d"; -x "f"; -r "f"; umask 022; chroot "/none"; POSIX::mkfifo("p", 0600);
pipe(my $r, my $w); syswrite $w, "x"; sysread $r, my $b, 1; POSIX::dup2(1, 9); POSIX::dup(1); select(undef, undef, undef, 0.01); Time::HiRes::nanosleep(1000); sleep 0;
my $l = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1"); my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $l->sockport); my $a = $l->accept;
$c->send("x"); $a->recv($b, 1); $c->sockopt(SO_KEEPALIVE, 1); $c->sockopt(SO_KEEPALIVE); getpeername $c; getsockname $c; shutdown $c, 2; socketpair(my $x, my $y, AF_UNIX, SOCK_STREAM, 0);
gethostbyname "localhost"; getpwnam "root"; getgrnam "root"; getppid; getpgrp; setpgrp; getpriority 0, 0; setpriority 0, 0, 0; times; kill 0, $$; POSIX::setsid(); POSIX::nice(0); POSIX::uname();
$SIG{USR1} = sub {}; kill "USR1", $$; alarm 0; POSIX::sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGUSR2)); POSIX::sigpending(POSIX::SigSet->new); POSIX::pause() if 0; POSIX::access("f", 4);
system "true"; `true`; open(my $p, "-|", "echo a"); <$p>; close $p; my $k = fork; if (!$k) { exit 0 } waitpid $k, 0; wait; POSIX::ttyname(0); POSIX::ctermid(); POSIX::getcwd(); POSIX::tcgetpgrp(0); -t STDIN;
$> = 0; $< = 0; $( = 0; $) = "0 0"; POSIX::setuid(0); POSIX::setgid(0); ioctl(STDIN, 0x5413, my $z); fcntl(STDIN, F_GETFL, 0); File::Temp::tempfile(); opendir(my $e, "/"); select($r, undef, undef, 0); sync() if 0;
use Sys::Hostname; hostname(); use Time::Local; localtime; time; my $s = IPC::SysV::x() if 0; shmget(1, 1, 0); semget(1, 1, 0); msgget(1, 0); shmctl(0, 0, 0); semctl(0, 0, 0, 0); semop(0, ""); use Cwd; cwd(); getcwd();
msgctl(0, 0, 0); msgsnd(99999, pack("l! a*", 1, "x"), 0); msgrcv(99999, $b, 1, 0, 0); shmread(99999, $b, 0, 1); shmwrite(99999, "x", 0, 1); dbmopen(my %h, "dbm", 0600) if 0; lockf() if 0; exec "true";
P
  trace perl perl load.pl || true
  compare perl /usr/bin/perl
}

try_ruby() {
  cat > load.rb <<'R'
require "socket"; require "etc"; require "io/console"; require "tempfile"; require "fileutils"; require "open3"; require "timeout"; require "pty"; require "io/nonblock"; require "io/wait"
def q; yield; rescue SystemCallError, NotImplementedError, ArgumentError, IOError, NoMethodError; end
f = File.open("f", "w+"); f.write("x" * 100); f.flush; f.fsync; f.fdatasync; f.flock(File::LOCK_EX); f.truncate(10); f.seek(0); f.pread(1, 0); f.pwrite("x", 0); f.chmod(0600); f.chown(0, 0); f.stat; q { f.advise(:normal) }
q { File.link("f", "g") }; q { File.symlink("f", "s") }; File.readlink("s"); File.lstat("s"); File.rename("g", "h"); File.chmod(0600, "f"); File.chown(0, 0, "f"); q { File.lchown(0, 0, "s") }; File.utime(1, 1, "f"); q { File.lutime(1, 1, "s") }; File.truncate("f", 3); File.unlink("h")
File.mkfifo("p"); Dir.mkdir("d"); Dir.children("."); Dir.chdir("d") { }; Dir.rmdir("d"); File.umask; File.readable?("f"); File.realpath("f"); q { Dir.chroot("/none") }; IO.copy_stream("f", "c"); q { File.world_readable?("f") }
r, w = IO.pipe; w.write("x"); w.writev rescue nil; r.read_nonblock(1); IO.select([r], nil, nil, 0); r.nonblock = true; q { r.ready? }; w.close; r.close; sleep 0.001; $stdin.tty?; q { IO.console }; q { $stdin.winsize }
l = TCPServer.new("127.0.0.1", 0); c = TCPSocket.new("127.0.0.1", l.addr[1]); a = l.accept; c.send("x", 0); a.recv(1); c.setsockopt(:SOCKET, :KEEPALIVE, 1); c.getsockopt(:SOCKET, :KEEPALIVE); c.peeraddr; c.addr; c.shutdown; q { a.recvmsg }; q { a.sendmsg("x") }
u, v = UNIXSocket.pair; u.send_io($stdin); v.recv_io; UDPSocket.new.send("x", 0, "127.0.0.1", 9); q { Addrinfo.tcp("localhost", 80) }; Etc.getpwnam("root"); Etc.getgrnam("root"); Etc.uname; Etc.nprocessors; Socket.gethostname; q { Socket.getifaddrs }
Process.ppid; Process.getpgid(0); q { Process.getsid }; q { Process.getpriority(0, 0) }; q { Process.setpriority(0, 0, 0) }; Process.times; Process.kill(0, $$); Process.getrlimit(:NOFILE); Process.setrlimit(:NOFILE, *Process.getrlimit(:NOFILE)); Process.clock_getres(0); Process.groups; q { Process.groups = [0] }; q { Process.initgroups("root", 0) }
q { Process::UID.change_privilege(0) }; q { Process::GID.change_privilege(0) }; q { Process::Sys.setresuid(0, 0, 0) }; q { Process::Sys.setresgid(0, 0, 0) }; q { Process::Sys.setreuid(0, 0) }; q { Process::Sys.setregid(0, 0) }; q { Process::Sys.setuid(0) }; q { Process::Sys.setgid(0) }; Process.euid; Process.gid; Process.egid; Process.uid
trap("USR1") {}; Process.kill("USR1", $$); Thread.new { sleep 0.01 }.join; Mutex.new.lock; Queue.new << 1; Thread.new { Timeout.timeout(1) { 1 } }.join; system("true"); `true`; Open3.capture2("cat", stdin_data: "x"); Process.wait(fork { exit! 0 }); Process.wait(spawn("true")); q { Process.detach(fork { exit! }).join }
q { PTY.open { } }; q { PTY.spawn("true") { |x, y, z| Process.wait(z) } }; Process.setproctitle("x"); GC.start; Random.urandom(4); q { Process.setsid }; q { Process.daemon(true, true) }; q { $stdin.fcntl(1, 0) }; q { $stdin.ioctl(0x5413, "x" * 8) }; q { IO.for_fd(1).dup }; q { $stdout.reopen("o") }; q { f.autoclose? }; q { syscall(39) }; exec "true"
R
  trace ruby ruby load.rb || true
  compare ruby /usr/bin/ruby
}

try_php() {
  cat > load.php <<'P'
<?php  // each statement by itself: what one build lacks does not end the others
$code = <<<'CODE'
$f = fopen("f", "w+");
fwrite($f, str_repeat("x", 100));
fflush($f);
fsync($f);
fdatasync($f);
flock($f, LOCK_EX);
ftruncate($f, 10);
fseek($f, 0);
fread($f, 1);
fstat($f);
stream_set_blocking($f, false);
$r = [STDIN];
$w = $e = null;
stream_select($r, $w, $e, 0);
link("f", "g");
symlink("f", "s");
readlink("s");
lstat("s");
rename("g", "h");
chmod("f", 0600);
chown("f", 0);
lchown("s", 0);
touch("f");
unlink("h");
mkdir("d");
scandir(".");
chdir("d");
chdir("..");
rmdir("d");
umask(022);
is_readable("f");
realpath("f");
copy("f", "c");
tempnam(".", "t");
disk_free_space(".");
posix_mkfifo("p", 0600);
posix_mknod("n", POSIX_S_IFREG | 0600);
$l = stream_socket_server("tcp://127.0.0.1:0");
$c = stream_socket_client("tcp://" . stream_socket_get_name($l, false));
$a = stream_socket_accept($l);
fwrite($c, "x");
fread($a, 1);
stream_socket_sendto($c, "x");
stream_socket_recvfrom($a, 1);
stream_socket_shutdown($c, 2);
stream_socket_pair(1, 1, 0);
gethostbyname("localhost");
@fsockopen("udp://127.0.0.1", 9);
gethostname();
usleep(1000);
time_nanosleep(0, 1000);
microtime(true);
random_bytes(4);
getmypid();
getmyuid();
posix_getppid();
posix_getpgid(0);
posix_getsid(0);
posix_getgroups();
posix_times();
posix_uname();
posix_kill(getmypid(), 0);
posix_getrlimit();
posix_setrlimit(7, 100, 100);
posix_access("f");
posix_setuid(0);
posix_setgid(0);
posix_seteuid(0);
posix_setegid(0);
posix_initgroups("root", 0);
posix_isatty(0);
posix_ttyname(0);
posix_getpwnam("root");
posix_setpgid(0, 0);
pcntl_signal(SIGUSR1, function () {});
posix_kill(getmypid(), SIGUSR1);
pcntl_signal_dispatch();
pcntl_alarm(0);
pcntl_sigprocmask(SIG_BLOCK, [SIGUSR2]);
pcntl_sigtimedwait([SIGUSR2], $i, 0, 1);
pcntl_getpriority();
pcntl_setpriority(0);
set_time_limit(5);
getrusage();
memory_get_usage();
sys_getloadavg();
proc_nice(0);
exec("true");
shell_exec("true");
$p = proc_open(["true"], [["pipe", "r"], ["pty"]], $pipes);
proc_close($p);
pclose(popen("true", "r"));
mail("a", "b", "c");
$k = pcntl_fork();
if (!$k) exit(0) pcntl_wait($s);
posix_setsid();
$h = shmop_open(1234, "c", 0600, 100);
shmop_write($h, "x", 0);
shmop_delete($h);
$h = sem_get(77);
sem_acquire($h);
sem_release($h);
sem_remove($h);
$q = msg_get_queue(78);
msg_send($q, 1, "x");
msg_receive($q, 1, $t, 10, $m);
msg_stat_queue($q);
msg_remove_queue($q);
$h = shm_attach(79);
shm_put_var($h, 1, 1);
shm_remove($h);
$s = socket_create(AF_INET, SOCK_DGRAM, 0);
socket_set_option($s, SOL_SOCKET, SO_REUSEADDR, 1);
socket_get_option($s, SOL_SOCKET, SO_REUSEADDR);
socket_bind($s, "127.0.0.1", 0);
socket_getsockname($s, $n);
socket_sendto($s, "x", 1, 0, "127.0.0.1", 9);
socket_set_nonblock($s);
@socket_recvmsg($s, $x);
@socket_sendmsg($s, []);
socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $y);
$r = [$s];
$w = $e = null;
socket_select($r, $w, $e, 0);
pcntl_exec("/bin/true");
CODE;
foreach (explode(";\n", $code) as $statement) { try { @eval("$statement;"); } catch (\Throwable $e) { } }
P
  trace php php -d display_errors=0 load.php || true
  compare php /usr/bin/php
}

try_lua() {
  cat > load.lua <<'L'
local f = io.open("f", "w+"); f:write(("x"):rep(100000)); f:flush(); f:seek("set"); f:read(1); f:setvbuf("no"); f:close(); os.rename("f", "g"); os.remove("g"); os.execute("true"); io.popen("true"):close(); os.tmpname(); io.tmpfile()
os.time(); os.clock(); os.date(); os.getenv("HOME"); os.setlocale(""); for _ in io.lines("load.lua") do end; local t = {}; for i = 1, 200000 do t[i] = tostring(i) end; collectgarbage(); pcall(require, "none")
local there, socket = pcall(require, "socket")
if there then
  local l = socket.bind("127.0.0.1", 0); local _, port = l:getsockname(); local c = socket.connect("localhost", port); local a = l:accept(); a:send("x"); c:receive(1); c:getpeername(); c:setoption("keepalive", true); c:getoption("keepalive"); socket.select({c}, {}, 0); c:shutdown(); socket.sleep(0.01); socket.gettime()
  local u = socket.udp(); u:setsockname("127.0.0.1", 0); u:sendto("x", "127.0.0.1", 9); u:settimeout(0); u:receivefrom(); socket.dns.gethostname(); socket.dns.toip("localhost"); pcall(require, "socket.unix"); pcall(require, "socket.serial")
end
L
  printf 'print(1)\nos.exit(0)\n' | script -qec "strace -f -qq -e signal=none -o trace.lua lua5.4 -i load.lua" /dev/null > out.lua 2>&1 || true
  compare lua /usr/bin/lua5.4
}

try_node() {
  cat > load.js <<'J'
const fs = require("fs"), net = require("net"), os = require("os"), cp = require("child_process"), dgram = require("dgram"), dns = require("dns"), { Worker } = require("worker_threads"), cluster = require("cluster");
const q = f => { try { f(); } catch (e) {} };
const fd = fs.openSync("f", "w+"); fs.writeSync(fd, "x"); fs.writevSync(fd, [Buffer.from("a"), Buffer.from("b")]); fs.readSync(fd, Buffer.alloc(1), 0, 1, 0); fs.readvSync(fd, [Buffer.alloc(1)], 0); fs.fsyncSync(fd); fs.fdatasyncSync(fd); fs.ftruncateSync(fd, 10); fs.fchmodSync(fd, 0o600); fs.fchownSync(fd, 0, 0); fs.futimesSync(fd, 1, 1); fs.fstatSync(fd);
q(() => fs.linkSync("f", "g")); q(() => fs.symlinkSync("f", "s")); fs.readlinkSync("s"); fs.lstatSync("s"); fs.renameSync("g", "h"); fs.chmodSync("f", 0o600); fs.chownSync("f", 0, 0); fs.lchownSync("s", 0, 0); fs.utimesSync("f", 1, 1); q(() => fs.lutimesSync("s", 1, 1)); fs.truncateSync("f", 3); fs.unlinkSync("h"); fs.mkdirSync("d"); fs.readdirSync("."); fs.rmdirSync("d"); fs.mkdtempSync("t"); fs.accessSync("f"); fs.realpathSync("f"); fs.copyFileSync("f", "c"); fs.cpSync && q(() => fs.cpSync("f", "e")); q(() => fs.statfsSync(".")); fs.rmSync("c");
fs.mkdirSync("v"); const w = fs.watch("v"); process.chdir("."); process.umask(); process.setgroups([0]); process.initgroups("root", 0); process.setuid(0); process.setgid(0); process.seteuid(0); process.setegid(0); process.getgroups(); process.resourceUsage(); process.memoryUsage(); os.cpus(); os.networkInterfaces(); os.setPriority(0, 0); os.getPriority(); os.userInfo(); os.loadavg(); os.uptime(); os.freemem(); os.hostname(); process.title = "x"; process.hrtime(); process.kill(process.pid, 0);
process.on("SIGUSR2", () => {}); process.kill(process.pid, "SIGUSR2"); cp.execSync("true"); cp.spawn("true", { detached: true, cwd: "/", uid: 0, gid: 0, stdio: ["pipe", "pipe", "ignore"] }); fs.writeFile("z", "x", () => fs.readFile("z", () => fs.unlink("z", () => {}))); fs.createReadStream("load.js").pipe(fs.createWriteStream("y"));
new Worker("require('crypto').pbkdf2Sync('a', 'b', 1000, 10, 'sha1'); new Float64Array(1e6).fill(1)", { eval: true }); dns.lookup("localhost", () => {}); dns.resolve("a.invalid", () => {}); new (dns.Resolver)().setServers(["127.0.0.1"]);
const u = dgram.createSocket("udp4"); u.bind(0, "127.0.0.1", () => { q(() => u.setMulticastTTL(1)); u.send("x", 9, "127.0.0.1", () => u.close()); });
const s = net.createServer(c => { c.setNoDelay(); c.setKeepAlive(true); c.end("x"); }).listen(0, "127.0.0.1", () => { const c = net.connect(s.address().port); c.write("a"); c.on("data", () => {}); c.on("close", () => s.close()); });
const p = net.createServer().listen("sock", () => { const c = net.connect("sock"); c.on("connect", () => { c.destroy(); p.close(); }); }); process.stdin.on("data", () => {}); require("crypto").randomBytes(8, () => {}); require("zlib").gzip("x", () => {}); let a = []; for (let i = 0; i < 2e6; i++) a.push({ i }); if (global.gc) gc(); WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
setTimeout(() => process.exit(0), 1500);
J
  trace node node --expose-gc load.js || true
  compare node /usr/bin/node
}

try_sbcl() {
  cat > load.lisp <<'L'
(require :sb-bsd-sockets) (require :sb-posix)
(defmacro q (&rest forms) `(progn ,@(mapcar (lambda (f) `(ignore-errors ,f)) forms)))
(with-open-file (f "f" :direction :output :if-exists :supersede) (write-line "x" f) (finish-output f)) (with-open-file (f "f") (read-line f)) (rename-file "f" "g.x") (probe-file "g.x") (delete-file "g.x") (directory "*") (ensure-directories-exist "d/e")
(defun p (name &rest arguments) (let ((f (find-symbol name :sb-posix))) (when (and f (fboundp f)) (ignore-errors (apply f arguments)))))
(dolist (call '(("MKDIR" "k" 448) ("RMDIR" "k") ("GETPID") ("GETPPID") ("UMASK" 18) ("STAT" "/") ("LSTAT" "/") ("CHMOD" "d" 448) ("SYMLINK" "a" "b") ("READLINK" "b") ("UNLINK" "b") ("GETCWD") ("SETPGID" 0 0) ("ACCESS" "/" 4) ("GETPWNAM" "root") ("CHDIR" ".") ("CHOWN" "d" 0 0) ("GETUID") ("GETGID") ("GETEUID") ("GETEGID") ("SETUID" 0) ("SETGID" 0) ("GETPGID" 0) ("GETPGRP") ("SETSID") ("ALARM" 0) ("TRUNCATE" "g.y" 1) ("MKFIFO" "f2" 384) ("UTIME" "d" 1 1) ("NICE" 0) ("PIPE") ("DUP" 1) ("FSYNC" 1) ("OPENDIR" ".") ("SYNC") ("GETTIMEOFDAY") ("TIMES") ("LINK" "d" "dd") ("MKSTEMP" "aXXXXXX") ("FCNTL" 0 3) ("ISATTY" 0) ("KILL" 0 0) ("LOCKF" 1 0 0) ("SETITIMER" 0 0 0 0 0) ("GETRLIMIT" 7) ("SETRLIMIT" 7 100 100) ("MLOCK" 0 0) ("TCGETATTR" 0) ("IOCTL" 0 1) ("FTRUNCATE" 1 0) ("FCHMOD" 1 384) ("FCHOWN" 1 0 0) ("FCHDIR" 1) ("LSEEK" 0 0 0) ("SETREUID" 0 0) ("SETREGID" 0 0) ("GETSID" 0) ("MKNOD" "n" 33152 0) ("RENAME" "n" "o"))) (apply #'p call))
(q (run-program "/bin/true" nil) (sleep 0.01) (sb-ext:gc :full t) (get-universal-time) (random 10 (make-random-state t)) (sb-thread:join-thread (sb-thread:make-thread (lambda () (make-array 1000000)))))
(let ((l (make-instance 'sb-bsd-sockets:inet-socket :type :stream :protocol :tcp)) (c (make-instance 'sb-bsd-sockets:inet-socket :type :stream :protocol :tcp))) (setf (sb-bsd-sockets:sockopt-reuse-address l) t) (sb-bsd-sockets:socket-bind l #(127 0 0 1) 0) (sb-bsd-sockets:socket-listen l 5)
 (multiple-value-bind (a p) (sb-bsd-sockets:socket-name l) (sb-bsd-sockets:socket-connect c a p)) (let ((s (sb-bsd-sockets:socket-accept l))) (sb-bsd-sockets:socket-send c "x" 1) (sb-bsd-sockets:socket-receive s nil 1) (sb-bsd-sockets:socket-peername c) (q (sb-bsd-sockets:socket-shutdown c :direction :io)) (sb-bsd-sockets:socket-close s)) (q (sb-bsd-sockets:get-host-by-name "localhost")))
L
  trace sbcl sbcl --script load.lisp || true
  compare sbcl /usr/bin/sbcl
}

try_java() {
  mkdir -p java
  cat > java/Load.java <<'J'
import java.io.*; import java.net.*; import java.nio.*; import java.nio.channels.*; import java.nio.file.*; import java.nio.file.attribute.*; import java.util.*; import java.util.concurrent.*;
public class Load {
  interface Act { void run() throws Throwable; }
  static void q(Act a) { try { a.run(); } catch (Throwable t) { } }
  public static void main(String[] x) throws Exception {
    Path f = Paths.get("f"), g = Paths.get("g"); Files.write(f, new byte[5000]);
    q(() -> Files.createLink(g, f)); q(() -> Files.createSymbolicLink(Paths.get("s"), f)); q(() -> Files.readSymbolicLink(Paths.get("s"))); q(() -> Files.move(g, Paths.get("h"), StandardCopyOption.ATOMIC_MOVE)); q(() -> Files.copy(f, Paths.get("c"))); q(() -> Files.delete(Paths.get("h"))); q(() -> Files.createDirectory(Paths.get("d"))); q(() -> Files.list(Paths.get(".")).count()); q(() -> Files.delete(Paths.get("d")));
    q(() -> Files.setPosixFilePermissions(f, PosixFilePermissions.fromString("rw-------"))); q(() -> Files.setLastModifiedTime(f, FileTime.fromMillis(1))); q(() -> Files.getFileStore(f).getTotalSpace()); q(() -> Files.setAttribute(f, "unix:uid", 0)); q(() -> Files.isWritable(f)); q(() -> Files.createTempFile("a", "b")); q(() -> ((UserDefinedFileAttributeView) Files.getFileAttributeView(f, UserDefinedFileAttributeView.class)).list()); q(() -> ((UserDefinedFileAttributeView) Files.getFileAttributeView(f, UserDefinedFileAttributeView.class)).write("a", ByteBuffer.wrap(new byte[1])));
    q(() -> { try (FileChannel c = FileChannel.open(f, StandardOpenOption.READ, StandardOpenOption.WRITE)) { c.lock().release(); c.force(true); c.truncate(100); c.map(FileChannel.MapMode.READ_WRITE, 0, 100).force(); c.transferTo(0, 50, FileChannel.open(Paths.get("o"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)); c.write(new ByteBuffer[] {ByteBuffer.allocate(1), ByteBuffer.allocate(1)}); c.read(new ByteBuffer[] {ByteBuffer.allocate(1), ByteBuffer.allocate(1)}); c.read(ByteBuffer.allocate(1), 0); c.write(ByteBuffer.allocate(1), 0); } });
    q(() -> { ServerSocketChannel l = ServerSocketChannel.open().bind(new InetSocketAddress("127.0.0.1", 0)); SocketChannel c = SocketChannel.open(l.getLocalAddress()); SocketChannel a = l.accept(); a.write(ByteBuffer.allocate(1)); c.read(ByteBuffer.allocate(1)); c.configureBlocking(false); Selector s = Selector.open(); c.register(s, 1); s.selectNow(); s.wakeup(); s.select(10); c.shutdownInput(); c.setOption(StandardSocketOptions.SO_KEEPALIVE, true); c.getOption(StandardSocketOptions.SO_KEEPALIVE); a.close(); });
    q(() -> { DatagramChannel d = DatagramChannel.open().bind(null); d.send(ByteBuffer.allocate(1), new InetSocketAddress("127.0.0.1", 9)); d.configureBlocking(false); d.receive(ByteBuffer.allocate(1)); }); q(() -> { ServerSocket l = new ServerSocket(0); Socket c = new Socket("localhost", l.getLocalPort()); l.accept().getOutputStream().write(1); c.getInputStream().read(); c.setSoTimeout(1); c.close(); }); q(() -> InetAddress.getByName("none.invalid")); q(() -> NetworkInterface.getNetworkInterfaces()); q(() -> ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of("u")));
    q(() -> { WatchService w = FileSystems.getDefault().newWatchService(); Paths.get(".").register(w, StandardWatchEventKinds.ENTRY_CREATE); w.poll(10, TimeUnit.MILLISECONDS); w.close(); }); q(() -> { Pipe p = Pipe.open(); p.sink().write(ByteBuffer.allocate(1)); }); q(() -> new ProcessBuilder("true").start().waitFor()); q(() -> ProcessHandle.current().info()); q(() -> Runtime.getRuntime().exec("true").destroy()); q(() -> new RandomAccessFile("r", "rw").setLength(10)); q(() -> { File t = new File("t"); t.createNewFile(); t.setReadOnly(); t.setLastModified(1); t.renameTo(new File("v")); new File("v").delete(); new File("m").mkdir(); new File(".").list(); t.getFreeSpace(); });
    q(() -> { ExecutorService e = Executors.newFixedThreadPool(4); for (int i = 0; i < 50; i++) e.submit(() -> { byte[][] b = new byte[100][]; for (int k = 0; k < 100; k++) b[k] = new byte[100000]; }); e.shutdown(); e.awaitTermination(10, TimeUnit.SECONDS); }); System.gc(); Thread.sleep(1, 1); q(() -> java.lang.management.ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage()); q(() -> java.security.SecureRandom.getInstanceStrong().nextInt()); q(() -> Thread.currentThread().setPriority(10)); q(() -> java.util.prefs.Preferences.userRoot().flush());
    q(() -> { AsynchronousFileChannel c = AsynchronousFileChannel.open(f); c.read(ByteBuffer.allocate(1), 0).get(); }); q(() -> { AsynchronousServerSocketChannel c = AsynchronousServerSocketChannel.open().bind(null); c.accept(); c.close(); }); q(() -> System.console()); System.exit(0);
  }
}
J
  trace java java java/Load.java || true
  compare java "$(command -v java)"
}

try_erlang() {
  local root=/usr/lib/erlang bin
  bin=$(dirname "$(find $root -name beam.smp | sort | head -n 1)")
  export BINDIR=$bin ROOTDIR=$root EMU=beam PROGNAME=erl
  trace erlang "$bin/beam.smp" -S 2:2 -- -root $root -bindir "$bin" -progname erl -- -home "$PWD" -- -noshell -eval '
    Q = fun(F) -> catch F() end,
    Q(fun() -> file:write_file("f", <<"x">>), file:read_file("f"), file:read_file_info("f"), file:write_file_info("f", element(2, file:read_file_info("f"))), file:rename("f", "g"), file:make_link("g", "h"), file:make_symlink("g", "s"), file:read_link("s"), file:read_link_info("s"), file:delete("h"), file:make_dir("d"), file:list_dir("."), file:del_dir("d"), file:set_cwd("."), file:change_mode("g", 8#600), file:change_owner("g", 0, 0), file:change_time("g", {{2020,1,1},{0,0,0}}) end),
    Q(fun() -> {ok, F} = file:open("g", [read, write, raw, binary]), file:pwrite(F, 0, <<"abc">>), file:pread(F, 0, 1), file:write(F, [<<"a">>, <<"b">>]), file:position(F, 0), file:read(F, 1), file:truncate(F), file:sync(F), file:datasync(F), file:allocate(F, 0, 10), file:advise(F, 0, 0, normal), file:close(F) end),
    Q(fun() -> {ok, L} = gen_tcp:listen(0, [{active, false}, {ip, {127,0,0,1}}]), {ok, P} = inet:port(L), {ok, C} = gen_tcp:connect("localhost", P, [{active, false}]), {ok, A} = gen_tcp:accept(L), gen_tcp:send(A, <<"x">>), gen_tcp:recv(C, 1), inet:setopts(C, [{nodelay, true}]), inet:getopts(C, [nodelay]), inet:peername(C), inet:sockname(C), gen_tcp:shutdown(C, write), file:write_file("big", binary:copy(<<0>>, 100000)), file:sendfile("big", A), gen_tcp:close(A) end),
    Q(fun() -> {ok, U} = gen_udp:open(0, []), gen_udp:send(U, {127,0,0,1}, 9, <<"x">>), gen_udp:close(U) end), Q(fun() -> inet:getifaddrs(), inet:gethostname(), inet:getaddr("localhost", inet) end), Q(fun() -> os:cmd("true"), os:getpid(), os:system_time(), os:getenv(), os:putenv("A", "B"), os:set_signal(sigusr1, handle), os:cmd("kill -USR1 " ++ os:getpid()) end),
    Q(fun() -> {ok, S} = socket:open(inet, stream, tcp), socket:bind(S, #{family => inet, port => 0, addr => loopback}), socket:listen(S), socket:sockname(S), socket:setopt(S, {socket, reuseaddr}, true), socket:getopt(S, {socket, reuseaddr}), socket:close(S), {ok, D} = socket:open(inet, dgram, udp), socket:sendto(D, <<"x">>, #{family => inet, port => 9, addr => loopback}), socket:sendmsg(D, #{iov => [<<"x">>], addr => #{family => inet, port => 9, addr => loopback}}), socket:recvfrom(D, 0, 0), socket:recvmsg(D, 0), socket:close(D) end),
    Q(fun() -> [spawn(fun() -> lists:seq(1, 100000) end) || _ <- lists:seq(1, 20)], erlang:garbage_collect(), timer:sleep(100) end), halt(0).' || true
  compare erlang "$bin/beam.smp"
}

for name in ${SYSCALLS_OF:-perl ruby php lua node sbcl java erlang}; do
  mkdir "in_$name"
  cd "in_$name" || exit
  try_"$name"
  cd "$OLDPWD" || exit
done
verdict
