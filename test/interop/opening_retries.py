"""What the outbound relay does after it failed to open a channel: docs/protocol.md, section 11.1."""

from dataclasses import dataclass
from enum import Enum

GATEWAY_ERRORS = (408, 502, 503, 504, *range(520, 525))


class Step(Enum):
    NEW_SESSION = 'pair, and open again'
    NEW_NUMBER = 'open again under a new number'
    LATER = 'open again after a delay'


@dataclass(frozen=True)
class Delay:
    """In seconds, of the first repetition and at most. Each failure doubles it."""

    first: float
    longest: float

    def after(self, failures: int) -> float:
        return min(self.first * 2 ** (failures - 1), self.longest)


REFUSED_FOR_NOW, NOT_REACHED, NO_CHANNELS = Delay(1, 600), Delay(0.25, 30), Delay(30, 600)


@dataclass(frozen=True)
class Failure:
    """
    `status` is None if no response came, in which case `was_reached` tells whether a connection was made and not reset.
    """

    status: int | None = None
    is_signed: bool = False
    was_reached: bool = True


def after_failure(failure: Failure, is_second: bool) -> tuple[Step, Delay]:
    """A step without a delay is taken once; what fails then is tried again after the delay."""
    if failure.is_signed:
        if failure.status in (559, 560, 562) and not is_second:
            return Step.NEW_SESSION, REFUSED_FOR_NOW
        if failure.status == 565 and not is_second:
            return Step.NEW_NUMBER, REFUSED_FOR_NOW
        return Step.LATER, REFUSED_FOR_NOW
    if failure.status in GATEWAY_ERRORS or not failure.was_reached:
        return Step.LATER, NOT_REACHED
    return Step.LATER, NO_CHANNELS
