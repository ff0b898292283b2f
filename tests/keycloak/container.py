# SPDX-License-Identifier: Apache-2.0
"""Containers without a container runtime: what doc/keycloak.md says about
them, done with namespaces as a Pod has them.

    pod = Pod(image(), folder, configuration)
    argv = pod.container(["cimdd", ...])     # user 1000, nothing else

A container has a root of its own that nobody can write to, the Pod's volumes
as Kubernetes makes them (fsGroup 1000), its own process 1, no capability, and
the network of the Pod, which is the laboratory's.
"""

from __future__ import annotations

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lab"))

import labtest  # noqa: E402

USER = 1000
# root, then SOURCE TARGET OPTION of each mount, "--", the command.
ENTER = """
set -eu
root=$1
shift
mount -t tmpfs -o mode=755 image "$root"
for one in /*; do
    if [ -L "$one" ]; then cp -P "$one" "$root"; fi
done
mkdir -p "$root/dev" "$root/proc" "$root/usr" "$root/tmp"
cp -a /etc "$root/etc"
rm -rf "$root/etc/cimd"
find "$root/etc/ssl/certs" -maxdepth 1 ! -type d -delete # but java/cacerts
cp -L "$LAB_CA_PATH"/* "$root/etc/ssl/certs"
mount --rbind /dev "$root/dev"
mount --bind /usr "$root/usr"
mount -o remount,bind,ro "$root/usr"
while [ "$1" != -- ]; do
    mkdir -p "$root$2"
    mount --bind "$1" "$root$2"
    mount -o "remount,bind,$3" "$root$2"
    shift 3
done
shift
ldconfig -r "$root"
mount -t proc proc "$root/proc"
mount -o remount,ro "$root"
exec chroot "$root" setpriv --reuid=USER --regid=USER --clear-groups \\
    --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
""".replace("USER", str(USER))


def possible() -> bool:
    """Are there other users than root in this namespace?"""
    with open("/proc/self/uid_map", encoding="ascii") as src:
        return os.geteuid() == 0 and int(src.read().split()[2]) > 1


def first_process(starter: int) -> int:
    """Process 1 of a container, as seen from outside of it; 0: none."""
    try:
        with open(f"/proc/{starter}/task/{starter}/children",
                  encoding="ascii") as src:
            return int((src.read().split() or "0")[0])
    except FileNotFoundError:
        return 0


def image() -> str:
    """The root of any image with glibc that cimdd is installed in; one."""
    root = os.path.join(os.environ["LAB_DIR"], "image")
    if not os.path.exists(root):
        done = subprocess.run(
            ["make", "-s", "-C", labtest.top_build(), "install",
             "DESTDIR=" + root], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        assert os.path.exists(os.path.join(root, "usr", "local", "sbin",
                                           "cimdd")), "another --prefix"
    return root


class Pod:
    """The volumes that its containers share."""

    def __init__(self, root: str, folder: str, conf: str) -> None:
        self.image, self.folder = root, folder
        for name in ("run", "state"):
            self.volume(name)
        # A ConfigMap: files are links into a folder of this revision.
        at = self.volume("conf")
        os.mkdir(os.path.join(at, "..2026"))
        with open(os.path.join(at, "..2026", "cimd.conf"), "w",
                  encoding="utf-8") as out:
            out.write(conf)
        os.symlink("..2026", os.path.join(at, "..data"))
        os.symlink("..data/cimd.conf", os.path.join(at, "cimd.conf"))
        self.roots = 0

    def volume(self, name: str) -> str:
        """An empty one, as fsGroup makes it."""
        path = self.path(name)
        os.mkdir(path)
        os.chown(path, 0, USER)
        os.chmod(path, 0o2777)
        return path

    def path(self, name: str) -> str:
        """Where a volume is outside of the containers."""
        return os.path.join(self.folder, name)

    def container(self, command: list[str], **mounts: str) -> list[str]:
        """What starts a container; ends when its process 1 does.  Mounts are
        volumes of the Pod: name="/where", or name="/where ro"."""
        self.roots += 1
        root = self.path(f"root{self.roots}")
        os.mkdir(root)
        words = [os.path.join(self.image, "usr", "local"), "/usr/local", "ro"]
        for name, where in mounts.items():
            words += [self.path(name), *(where + " rw").split()[:2]]
        return ["unshare", "--mount", "--pid", "--fork", "sh", "-c", ENTER,
                "sh", root, *words, "--", *command]
