"""An operator's orders to workers that share a store, and what they are answered with.

`Orders` asks and orders; the other names are the types of what it returns.
"""

from ._state.board import Ban, Freeze, Hold, Member, Refusal, Round, State, Wish
from ._state.fleet import Fleet, MemberStatus
from ._state.ledger import Entry, Row
from ._state.orders import Ordered
from ._state.store_orders import Orders

__all__ = [
    "Ban",
    "Entry",
    "Fleet",
    "Freeze",
    "Hold",
    "Member",
    "MemberStatus",
    "Ordered",
    "Orders",
    "Refusal",
    "Round",
    "Row",
    "State",
    "Wish",
]
