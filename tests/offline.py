"""Runs a command with the network cut off: ``python tests/offline.py COMMAND ...``

The command gets a network namespace of its own, with a loopback device and nothing that leads out of it. Where that is
not permitted, or the system has no such thing, the command runs all the same and a line says that this proves nothing;
on Linux with ``CI`` in the environment that ends in failure: a gate that skips what it should prove is no gate.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import shlex
import socket
import struct
import sys
from pathlib import Path

# From the kernel's headers: linux/sched.h, linux/sockios.h, linux/if.h.
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1


def cut_off() -> None:
    """Move this process into a network namespace that has nothing but a loopback device.

    Raises
    ------
    OSError
        If that is not possible. The process may then be half in and half out: it should end.
    """
    if sys.platform != "linux":
        raise OSError(f"{platform.system()} has no network namespaces")
    user, group = os.getuid(), os.getgid()
    unshare = ctypes.CDLL(None, use_errno=True).unshare
    if unshare(CLONE_NEWNET) != 0:  # for root alone; everybody else does it as the root of a namespace of users
        if unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
            raise OSError(f"network namespaces are not permitted here ({os.strerror(ctypes.get_errno())})")
        for file, content in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            (Path("/proc/self") / file).write_text(content)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        fcntl.ioctl(device, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))


def hindrance() -> str:
    """Why the network cannot be cut off here; empty if it can. Another process tries it out."""
    receiver, sender = os.pipe()
    if (pid := os.fork()) == 0:
        try:
            cut_off()
        except OSError as error:
            os.write(sender, str(error).encode())
        finally:
            os._exit(0)
    os.close(sender)
    os.waitpid(pid, 0)
    with os.fdopen(receiver) as answer:
        return answer.read()


def main(command: list[str]) -> None:
    """Become ``command``, without a network if that is possible."""
    reason = hindrance()
    if reason and os.environ.get("CI") and sys.platform == "linux":
        sys.exit(f"The network cannot be cut off, and CI shall prove that it is not needed: {reason}")
    if not reason:
        cut_off()
    how = f"NOT cut off ({reason})" if reason else "cut off"
    print(f"With the network {how}: {shlex.join(command)}", flush=True)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
