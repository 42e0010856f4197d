"""Whether a connection counts as open is the kernel's word, not a server's."""

import socket

from tests.support.load import until

from .sockets import established


def test_what_a_client_has_closed_is_not_open() -> None:
    """Its server still has it, because it has not looked."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, address = server.accept()
            assert {(port, address[1])} == established([port])
            assert set() == established([client.getsockname()[1] + 1])
        with accepted:
            until(lambda: not established([port]))
