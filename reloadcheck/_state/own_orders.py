"""Orders that a worker gives by itself: an end of a roll-back, a ban with one, one more try.

Other threads say what is wanted; the store thread writes it, if it still applies then.
"""

from dataclasses import replace

from . import orders
from .bans import without_passing
from .board import STATE, Ban, Hold
from .orders import Actor
from .sight import TRIES, Sight

__all__ = ["OwnOrders"]


class OwnOrders:
    """What one worker wants written. `ends_hold`: a roll-back whose content the sources hold.

    `bans`: what they held when a roll-back came. `retries`: what was undone is to be tried again.
    """

    def __init__(self, sight: Sight) -> None:
        self.ends_hold: Hold | None = None
        self.bans: tuple[Hold, str] | None = None
        self.retries = False
        self._sight = sight

    def end_hold(self) -> None:
        """End a roll-back whose content the sources hold again; bans stay."""
        hold, sight = self.ends_hold, self._sight
        state = sight.view.state
        if hold is not None and state.hold == hold:
            key = sight.prefix + STATE
            after = replace(state, hold=None).to_text()
            sight.store.put({key: after}, same={key: sight.view.state_revision})
            sight.look()
        if self.ends_hold is hold:
            self.ends_hold = None

    def ban_with_hold(self) -> None:
        """Ban what the sources held here when a roll-back came, while it is in force."""
        sight, wanted = self._sight, self.bans
        for _ in range(TRIES):
            state = sight.view.state
            hold, content = wanted or (None, "")
            if hold is None or state.hold != hold or content in state.banned:
                break
            ban = Ban(None, hold.by, hold.at, hold.why)
            after = replace(state, banned={**state.banned, content: ban}).to_text()
            key = sight.prefix + STATE
            sight.store.put({key: after}, same={key: sight.view.state_revision})
            sight.look()
        if self.bans is wanted:
            self.bans = None

    def retry(self) -> None:
        """Write the order down, where there is anything to forget."""
        sight = self._sight
        view, state = sight.view, sight.view.state
        if not self.retries:
            return
        if state.refused is not None or state.banned != without_passing(state.banned):
            ordered = orders.retry(state, Actor(at=sight.clock.wall()))
            key, row = sight.prefix + STATE, sight.prefix + ordered.entry.key
            records = {key: ordered.state.to_text(), row: ordered.entry.to_text()}
            if sight.store.put(dict(records), same={key: view.state_revision, row: 0}) is None:
                return  # somebody was faster: once more, after the next look
            sight.look()
        self.retries = False
