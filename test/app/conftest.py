# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of vio-testpmd share: to run it, or to start it and end it later.

Environment
  VIO_BUILD  the build folder; the program is $VIO_BUILD/app/testpmd/vio-testpmd
"""

import pathlib
import subprocess
import sys
import threading

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "vhost"))

from apprun import BINARY, BUILD, ROOT, TIMEOUT, Result, eal_arguments, read_until  # noqa: E402


@pytest.fixture(scope="session")
def plugin():
    """Builds a plug-in from a source beside this file. EAL loads none from a folder that everyone
    may write, so it goes into the build folder."""

    def build(source, more=(), libraries=()):
        folder = BUILD / "test" / "app"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{pathlib.Path(source).stem}.so"
        flags = subprocess.run(
            ["pkg-config", "--cflags", "libdpdk"], capture_output=True, text=True, check=True
        ).stdout.split()
        here = pathlib.Path(__file__).with_name(source)
        arguments = ["cc", "-O2", "-Wall", "-D_GNU_SOURCE", "-shared", "-fPIC", *flags]
        subprocess.run([*arguments, *more, "-o", path, here, *libraries], check=True)
        return str(path)

    return build


@pytest.fixture(scope="session")
def recorder(plugin):
    """The driver net_recorder, whose header files are those of the installed DPDK."""
    folder = BUILD / "driver-sdk"
    script = ROOT / "devtools" / "driver-sdk"
    subprocess.run([script, folder], check=True, stdout=subprocess.DEVNULL)
    more = ["-isystem", folder, "-DALLOW_INTERNAL_API", "-DALLOW_EXPERIMENTAL_API"]
    libraries = ["bus_vdev", "ethdev", "kvargs", "mbuf", "mempool", "net", "ring", "eal"]
    return plugin("recorder.c", more, [f"-lrte_{name}" for name in libraries])


@pytest.fixture
def command(tmp_path):
    """The command line for these devices and options; the program is to write run.json."""

    def build(vdevs, *options, eal=(), **more):
        own = ["--json", str(tmp_path / "run.json"), *options]
        return [str(BINARY), *eal_arguments(vdevs, **more), *eal, "--", *own]

    return build


@pytest.fixture
def run(command, tmp_path):
    """Runs to the end; the exit status must be the expected one."""

    def go(vdevs, *options, status=0, typed="", environment=None, **more):
        path = tmp_path / "run.json"
        path.unlink(missing_ok=True)
        done = subprocess.run(
            command(vdevs, *options, **more),
            input=typed,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        result = Result(done.returncode, done.stdout, done.stderr, path)
        assert result.status == status, result.text
        return result

    return go


class Started:
    """A run that goes on until it is told to end. Killed when its time is over. typed: it is at a
    prompt."""

    def __init__(self, arguments, json_path, environment, wait, typed):
        self.json_path = json_path
        self.prefix = arguments[arguments.index("--file-prefix") + 1]
        self.process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE if typed else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.timer = threading.Timer(TIMEOUT, self.process.kill)
        self.timer.start()
        self.said = ""
        if wait:
            self.wait_for("forwarding: mode")

    def signal(self, number):
        self.process.send_signal(number)

    def type(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def wait_for(self, words):
        self.said += read_until(self.process, words)

    def finish(self):
        out, err = self.process.communicate(timeout=TIMEOUT)
        return Result(self.process.returncode, out, self.said + err, self.json_path)

    def end(self):
        self.timer.cancel()
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


@pytest.fixture
def start(command, tmp_path):
    """Starts a run and returns once it forwards, or with wait=False at once."""
    running = []

    def go(vdevs, *options, environment=None, wait=True, typed=False, **more):
        arguments = command(vdevs, *options, **more)
        running.append(Started(arguments, tmp_path / "run.json", environment, wait, typed))
        return running[-1]

    yield go
    for started in running:
        started.end()
