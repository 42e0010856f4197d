"""What serves: snapshots, the leases on them, and the drain of the old ones."""
