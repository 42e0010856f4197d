"""What is built from the configuration: the plan, the build and the instances."""
