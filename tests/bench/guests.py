# SPDX-License-Identifier: Apache-2.0
"""The two sides of a comparison: commands that boot a program under uni and under Debian's cloud kernel."""
import json
import os
import pathlib
import re
import shutil
import subprocess

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
RELEASE = TOP / "build" / "release"
UNI = RELEASE / "bin" / "uni"
PROGRAMS = RELEASE / "tests" / "programs"
QEMU = shutil.which("qemu-system-x86_64")
ACCEL = ["-accel", "tcg,thread=multi", "-cpu", "max"]
# In the order in which each needs those before it.
MODULES = ("virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "failover", "net_failover",
           "virtio_net")


def linux_package():
    """The folder where packaging/bootstrap unpacked Debian's cloud kernel: it holds boot/ and lib/modules/."""
    where = TOP / ".deps" / "linux"
    if not list(where.glob("boot/vmlinuz-*")):
        raise SystemExit(f"{where} holds no kernel: run packaging/bootstrap")
    return where


class Uni:
    """A program packed into an image."""

    def __init__(self, work, program, arguments=(), options=()):
        self.image = work / f"{pathlib.Path(program).name}.img"
        subprocess.run([UNI, "pack", "-o", self.image, *options, program, "--", *arguments], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def command(self, machine="microvm", memory=128, cpus=1, port=None, more=()):
        publish = ["-p", f"{port[0]}:{port[1]}"] if port else []
        return [str(w) for w in (UNI, "run", "--machine", machine, "--accel", "tcg", "-m", f"{memory}M", "-c", cpus, *publish, *more,
                                 self.image)]

    def unpack(self, root):
        """Writes the image's root file system to the folder `root`."""
        table = json.loads(subprocess.run(["sfdisk", "--json", self.image], check=True, capture_output=True, text=True).stdout)
        found = next(p for p in table["partitiontable"]["partitions"] if p["name"] == "uni-root")
        begin = found["start"] * table["partitiontable"]["sectorsize"]
        subprocess.run(["debugfs", "-R", f'rdump / "{root}"', f"{self.image}?offset={begin}"], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)


class Linux:
    """A program as the only process of Debian's cloud kernel, on q35 with QEMU's user network. With `image`, everything that
    this image's root file system holds is at hand; else the program and its libraries."""

    def __init__(self, work, program, arguments=(), network=False, image=None, user=None):
        package = linux_package()
        self.kernel = next(package.glob("boot/vmlinuz-*"))
        name = pathlib.Path(program).name
        root = work / f"{name}.root"
        root.mkdir()
        inside = f"/bin/{name}"
        if image:
            image.unpack(root)
            inside = re.search(r"^program: (.*)$", image.image.with_suffix(".yaml").read_text(), re.M)[1]
        else:
            self._copy(root, program, inside)
            for library in re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout):
                self._copy(root, library, library)
        for folder in ("proc", "sys", "dev", "tmp", "root", "etc"):
            (root / folder).mkdir(exist_ok=True)
        shutil.copy(PROGRAMS / "bench-init", root / "init")
        modules = []
        for module in MODULES if network else ():
            found = next((p for p in package.rglob(f"{module}.ko")), None)
            if found:
                self._copy(root, found, f"/modules.d/{module}.ko")
                modules.append(f"/modules.d/{module}.ko\n")
        (root / "modules").write_text("".join(modules))
        (root / "arguments").write_text("".join(f"{a}\n" for a in (inside, *arguments)))
        if user:
            (root / "user").write_text(f"{user}\n")
        self.initrd = work / f"{name}.cpio.gz"
        with open(self.initrd, "wb") as out:
            files = subprocess.Popen(["find", "."], cwd=root, stdout=subprocess.PIPE)
            archive = subprocess.Popen(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, stdin=files.stdout, stdout=subprocess.PIPE)
            subprocess.run(["gzip", "-1"], stdin=archive.stdout, stdout=out, check=True)
            if archive.wait() or files.wait():
                raise RuntimeError("the initramfs was not made")

    @staticmethod
    def _copy(root, source, inside):
        to = root / inside.lstrip("/")
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(source), to)

    def command(self, machine="q35", memory=256, cpus=1, port=None, more=()):
        network = ["-netdev", f"user,id=net,ipv6=off,hostfwd=tcp:127.0.0.1:{port[0]}-:{port[1]}", "-device",
                   "virtio-net-pci,netdev=net,romfile="] if port else []
        return [str(w) for w in (QEMU, *ACCEL, "-M", machine, "-m", f"{memory}M", "-smp", cpus, "-nodefaults", "-no-user-config",
                                 "-display", "none", "-serial", "stdio", "-no-reboot", "-kernel", self.kernel, "-initrd", self.initrd,
                                 "-append", "console=ttyS0 quiet panic=-1", *network, *more)]


def empty_kernel(machine):
    """QEMU's own share: the least PVH kernel, without devices."""
    serial = ["-serial", "stdio"] if machine.startswith("microvm") else ["-chardev", "stdio,id=c", "-device", "isa-serial,chardev=c"]
    return [QEMU, *ACCEL, "-M", "microvm,x-option-roms=off,isa-serial=on,pic=on,pit=on,rtc=on" if machine == "microvm" else machine,
            "-m", "64M", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", *serial, "-kernel", str(PROGRAMS / "empty.elf")]
