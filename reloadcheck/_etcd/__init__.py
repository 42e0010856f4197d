"""A small client for etcd's version 3, over its JSON gateway and `http.client`."""

from .client import Etcd
from .quiet import RANGE, Quiet
from .tokens import CHANCE
from .watch import Watch
from .wire import b64, end_of, unb64

__all__ = ["CHANCE", "RANGE", "Etcd", "Quiet", "Watch", "b64", "end_of", "unb64"]
