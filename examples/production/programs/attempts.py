"""System calls that attempts.js has no word for. Arguments: which, and its aim as JSON. Prints what it got; fails else."""
import ctypes
import errno
import json
import os
import platform
import socket
import sys

libc = ctypes.CDLL(None, use_errno=True)
ARM = platform.machine() == "aarch64"
# Numbers of the calls that C libraries have no functions for: x86-64, arm64.
NUMBERS = {
    "keyctl": (250, 219),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
}
PTRACE_SEIZE = 0x4206
KEYCTL_GET_KEYRING, SESSION = 0, -3
SO_MARK, IP_TRANSPARENT, IP_FREEBIND, IPV6_FREEBIND = 36, 19, 15, 78


def checked(result):
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def call(name, *arguments):
    return checked(libc.syscall(NUMBERS[name][ARM], *arguments))


def first_of(things, attempt):
    stopped = LookupError("nothing to try")
    for thing in things:
        try:
            return attempt(thing)
        except (OSError, LookupError) as error:
            stopped = error
    raise stopped


def say(connection, text):
    connection.sendall(text.encode())
    answer = connection.recv(2000)
    if not answer:
        raise LookupError("closed without an answer")
    return answer.decode(errors="replace")


def say_with(host, port, text, mark=None, device=None, source=None, transparent=False):
    """TCP from a socket with options that lead past rules."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(1.5)
        if mark is not None:
            connection.setsockopt(socket.SOL_SOCKET, SO_MARK, mark)
        if device is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        if transparent:
            connection.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
        if source is not None:
            level = socket.IPPROTO_IPV6 if family == socket.AF_INET6 else socket.SOL_IP
            connection.setsockopt(level, IPV6_FREEBIND if family == socket.AF_INET6 else IP_FREEBIND, 1)
            connection.bind((source, 0))
        connection.connect((host, port))
        return say(connection, text)


def open_raw():
    """A socket that sees or forges other pods' packets."""
    kinds = [
        (socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)),
        (socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3)),
        (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP),
        (socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6),
        (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),
    ]

    def open_one(kind):
        socket.socket(*kind).close()
        return "opened a raw socket"

    return first_of(kinds, open_one)


def machine_socket():
    """A socket of the machine's hypervisor, which knows no network namespaces."""
    socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).close()
    return "opened a socket to the hypervisor"


def trace(process_ids):
    def trace_one(process_id):
        checked(libc.ptrace(PTRACE_SEIZE, process_id, None, None))
        return f"traces {process_id}"

    return first_of(process_ids, trace_one)


def read_memory(process_ids):
    """Where there is no memory, the kernel says so only to who may read it."""

    def read_one(process_id):
        class Piece(ctypes.Structure):
            _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

        room = ctypes.create_string_buffer(8)
        to, origin = Piece(ctypes.addressof(room), 8), Piece(0, 8)
        try:
            checked(libc.process_vm_readv(process_id, ctypes.byref(to), 1, ctypes.byref(origin), 1, 0))
        except OSError as error:
            if error.errno != errno.EFAULT:
                raise
        return f"may read the memory of {process_id}"

    return first_of(process_ids, read_one)


def signal(process_ids):
    def signal_one(process_id):
        os.kill(process_id, 0)
        return f"may signal {process_id}"

    return first_of(process_ids, signal_one)


def take_descriptors(process_ids):
    """Descriptors of other processes that lead to files, folders or sockets."""

    def take_from(process_id):
        process = call("pidfd_open", process_id, 0)
        taken = []
        for number in range(64):
            try:
                descriptor = call("pidfd_getfd", process, number, 0)
            except OSError as error:
                if error.errno == errno.EBADF:
                    continue
                raise
            leads_to = os.readlink(f"/proc/self/fd/{descriptor}")
            if leads_to.startswith(("socket:", "/")):
                taken.append(leads_to)
        if not taken:
            raise LookupError("none that lead out")
        return " ".join(taken)

    return first_of(process_ids, take_from)


def join_namespaces(process_ids):
    """Another namespace than its own, of any kind, of any process that it sees or was told of."""
    seen = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    kinds = ["user", "net", "mnt", "ipc", "uts", "pid_for_children"]

    def join_one(which):
        process_id, kind = which
        path = f"/proc/{process_id}/ns/{kind}"
        if os.readlink(path) == os.readlink(f"/proc/self/ns/{kind}"):
            raise LookupError("its own")
        descriptor = os.open(path, os.O_RDONLY)
        checked(libc.setns(descriptor, 0))
        return f"is in the {kind} namespace of {process_id}"

    return first_of([(one, kind) for one in seen + process_ids for kind in kinds], join_one)


class Handle(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint), ("type", ctypes.c_int), ("bytes", ctypes.c_ubyte * 128)]


def name_handle(path):
    """What names a file however it is covered: for whoever sees it."""
    handle, mount = Handle(128), ctypes.c_int()
    call("name_to_handle_at", -100, path.encode(), ctypes.byref(handle), ctypes.byref(mount), 0)
    return json.dumps({"type": handle.type, "bytes": list(handle.bytes[: handle.length])})


def open_by_handle(handle, mounts=None):
    """Tries these mounts, or all that it sees."""
    asked = Handle(len(handle["bytes"]), handle["type"], (ctypes.c_ubyte * 128)(*handle["bytes"]))
    if mounts is None:
        with open("/proc/self/mountinfo", encoding="utf8") as table:
            mounts = [line.split(" ")[4] for line in table]

    def open_on(mount):
        at = os.open(mount, os.O_RDONLY)
        descriptor = call("open_by_handle_at", at, ctypes.byref(asked), os.O_RDONLY)
        return f"{len(os.read(descriptor, 65536))} bytes by way of {mount}"

    return first_of(mounts, open_on)


def open_keyring():
    """The keyring that a process is born with, which knows no namespaces."""
    return f"keyring {call('keyctl', KEYCTL_GET_KEYRING, SESSION, 1)}"


def read_shared_memory(key):
    """System V shared memory of the machine."""
    segment = checked(libc.shmget(key, 0, 0))
    libc.shmat.restype = ctypes.c_void_p
    address = libc.shmat(segment, None, 0o10000)
    return f"{len(ctypes.string_at(address, 4))} bytes of shared memory"


def make_shared_memory(key):
    return f"segment {checked(libc.shmget(key, 4096, 0o1666))}"


def become(user):
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    return f"is user {os.getuid()}"


def open_terminal():
    """Whoever sits there would seem to have typed what is pushed into it."""
    os.close(os.open("/dev/tty", os.O_RDWR))
    return "opened the terminal"


if __name__ == "__main__":
    try:
        attempt = getattr(sys.modules[__name__], sys.argv[1])
        print(attempt(**json.loads(sys.argv[2])))
    except (OSError, LookupError) as stopped:
        sys.exit(str(stopped))
    except Exception as fault:  # pylint: disable=broad-exception-caught
        print(repr(fault), file=sys.stderr)
        sys.exit(70)
