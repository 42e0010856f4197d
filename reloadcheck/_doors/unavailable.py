"""The answer of an application without configuration."""

UNAVAILABLE = b"The application has no usable configuration yet; its log says why.\n"
