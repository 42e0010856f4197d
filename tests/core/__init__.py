"""Attacks on the engine from inside one process: injected clocks, barriers, faults."""
