"""Who may change what, and when: rules in code, the contract, windows, approvals.

Nothing of it is imported unless it is asked for; it reaches an engine as a gate.
"""
