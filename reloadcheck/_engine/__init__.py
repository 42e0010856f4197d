"""Who decides, and when: one engine thread a process, its checks, reloads and reports."""
