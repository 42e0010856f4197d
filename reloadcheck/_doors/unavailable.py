"""The 503 answer of an application without configuration: one text for both doors."""

UNAVAILABLE = b"The application has no usable configuration yet; its log says why.\n"
