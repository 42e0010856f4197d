"""Workers that act as one, simulated: random schedules with faults, and whole small worlds."""
