"""What every test of rules and contracts starts from: the engines of the core on a fake clock."""

from tests.support.fixtures import Make, clock, make, no_engine_thread_stays, text

__all__ = ["Make", "clock", "make", "no_engine_thread_stays", "text"]
