"""What a site registers on its engine, in a module that its settings name."""

from reloadcheck.integrations.django import live


@live.resource("number")
def doubled(number: int) -> int:
    """Build something from a part."""
    return number * 2
