"""What one engine's checks remember from one to the next; the engine thread's alone."""

import math
from dataclasses import dataclass, field

from ..exceptions import ConfigError
from .backoff import BackOff
from .way_back import WayBack


@dataclass(slots=True)
class Course:
    """Where the reloads of one engine stand.

    `look_at` (monotonic seconds) is when to look without being asked. `failure` is why what is good
    cannot be had for now, `standing` what is wrong with what the sources hold, and `failed_in` the
    event loop in which a build failed last.
    """

    look_at: float | None = None
    failure: ConfigError | None = None
    standing: ConfigError | None = None
    failed_in: object = None
    unsettled_since: float = math.inf
    back_off: BackOff = field(default_factory=BackOff)
    way_back: WayBack = field(default_factory=WayBack)
