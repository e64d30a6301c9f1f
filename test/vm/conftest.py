# SPDX-License-Identifier: BSD-3-Clause
"""What the tests in a VM share: the driver under test, hosts, VMs, applications."""

import contextlib
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "usertools"))

from viovm import dpdk, rundir  # noqa: E402

DRIVERS = {"net_vio": True, "net_virtio": False}  # name: is it ours?


def pytest_addoption(parser):
    # Another folder's conftest may have brought the same option already.
    with contextlib.suppress(ValueError):
        parser.addoption(
            "--build-dir",
            default=os.environ.get("VIO_BUILD", "build"),
            help="where vio is built (VIO_BUILD, else build)",
        )


def pytest_configure(config):
    config.addinivalue_line("markers", "ours: says nothing about net_virtio, so needs net_vio")


def pytest_collection_modifyitems(items):
    if driver_name() == "net_vio":
        return
    for item in items:
        if item.get_closest_marker("ours"):
            item.add_marker(pytest.mark.skip(reason="VIO_TEST_DRIVER is not net_vio"))


def driver_name():
    """The driver under test. net_virtio serves to check the tests themselves."""
    name = os.environ.get("VIO_TEST_DRIVER", "net_vio")
    if name not in DRIVERS:
        pytest.exit(f"VIO_TEST_DRIVER={name} is none of {', '.join(DRIVERS)}", 2)
    return name


@pytest.fixture(scope="session", autouse=True)
def root():
    if os.geteuid() != 0:
        pytest.exit("the tests in a VM need root, to make network namespaces and taps", 2)


@pytest.fixture(scope="session")
def driver():
    return driver_name()


@pytest.fixture(scope="session")
def ours(driver):
    return DRIVERS[driver]


@pytest.fixture(scope="session")
def build_dir(request):
    return pathlib.Path(request.config.getoption("--build-dir")).resolve()


@pytest.fixture(scope="session")
def guest_files(build_dir, ours):
    """What goes into every VM: one image for all of them, so that it is made once."""
    files = dpdk.plugins() + dpdk.stock_app()
    if ours or dpdk.our_app_path(build_dir).exists():
        files += dpdk.our_app(build_dir)
    if ours:
        files += dpdk.our_driver(build_dir)
    return files


@pytest.fixture(scope="module")
def run_dir():
    with rundir.RunDir() as folder:
        yield folder
