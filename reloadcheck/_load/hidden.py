"""What foreign code's sentence may quote of one engine's configuration, learnt when needed.

That is what the status page shows; the judge is `_config/veil`. Takes a configuration with its
layers, gives what masks a text. Learns it when an error needs it.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeAlias

from .._config.redact import scrub
from .._config.veil import Veil
from .._runtime.pause import nap
from ..seams.feed import Loaded
from ..types import Place

__all__ = ["Hidden", "Mask", "veil_of"]

Mask: TypeAlias = Callable[[str], str]


class Hidden:
    """What masks sentences about configurations of one engine.

    `also` and `public` are the application's names; `places` tells where its sources are found, and
    `running` what runs.
    """

    def __init__(
        self,
        also: Collection[str],
        public: Collection[str],
        places: Callable[[], Sequence[Place]],
        running: Callable[[], Loaded[Any] | None],
    ) -> None:
        self._also = frozenset(also)
        self._public = public
        self._places = places
        self._running = running

    def add(self, names: Collection[str]) -> None:
        """Take further names of keys whose values are shown nowhere."""
        self._also |= frozenset(names)

    def mask(self, config: object = None, loaded: Loaded[Any] | None = None) -> Mask:
        """Return what masks all that is hidden of what runs, of a configuration or a loaded one."""
        veil = Veil(self._also, self._public)
        running = self._running()
        if running is not None:
            _learn(veil, running, self._places())
        if loaded is not None:
            _learn(veil, loaded, self._places())
        veil.learn(config, nap)
        known = veil.known()
        return lambda text: veil.text(scrub(text, known))


def veil_of(
    loaded: Loaded[Any], places: Sequence[Place], also: Collection[str], public: Collection[str]
) -> Veil:
    """Return what judges the values of a configuration, once it has learnt them all."""
    veil = Veil(also, public)
    _learn(veil, loaded, places)
    return veil


def _learn(veil: Veil, loaded: Loaded[Any], places: Sequence[Place]) -> None:
    veil.learn(loaded.tree, nap)
    if loaded.config is not loaded.tree:
        veil.learn(loaded.config, nap)
    for place, layer in zip(places, loaded.layers, strict=False):
        if place.confidential:
            veil.learn_private(layer.tree)
    for layer in loaded.layers:
        for path in layer.referred:
            veil.learn_at(path, layer.tree, loaded.tree, loaded.config)
