"""Fixtures of the end-to-end tests."""
import faulthandler
import signal

import pytest

import fakes
import programs

TEST_SECONDS = int(120 * fakes.PATIENCE)


@pytest.fixture
def scene(tmp_path):
    """What a test starts; it is ended and its logs are looked through afterwards."""
    scene = programs.Scene(tmp_path)
    yield scene
    scene.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A private CA."""
    return fakes.Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(autouse=True)
def bounded():
    """No test takes longer, whatever hangs."""

    def late(signum, frame):
        faulthandler.dump_traceback()
        raise AssertionError(f"not done within {TEST_SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(TEST_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
