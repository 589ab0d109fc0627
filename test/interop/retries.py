"""When the outbound relay repeats a client's request, and what it says of one that failed: docs/protocol.md, section 8."""

from dataclasses import dataclass
from enum import Enum

SAFE_METHODS = ('GET', 'HEAD', 'OPTIONS')
SWITCHABLE_METHODS = ('POST', 'PATCH')


class End(Enum):
    """How an attempt ended."""

    UNSENT = 'unsent'  # before its first octet was written
    BROKEN = 'broken'  # the connection, before any response head
    ERROR = 'error'  # with a signed error
    OTHER = 'other'  # with anything else, among them a response


@dataclass(frozen=True)
class Outcome:
    end: End
    status: int = 0
    p: int = 1

    def proves_nothing_ran(self) -> bool:
        return self.end is End.UNSENT or (self.end is End.ERROR and self.p == 0)


class Step(Enum):
    """What follows an attempt."""

    GIVE_UP = 'give up'
    NEW_NUMBER = 'a new number'
    REPLACE = 'a new number that replaces the old one'
    NEW_SESSION = 'a new session'


def after_first_attempt(method: str, outcome: Outcome, retry_unsafe: bool = True) -> Step:
    """The rules (a) to (d). The second attempt is the last, whatever becomes of it."""
    safe = method in SAFE_METHODS
    may_repeat = retry_unsafe or method not in SWITCHABLE_METHODS
    match outcome:
        case Outcome(End.UNSENT):
            return Step.NEW_NUMBER
        case Outcome(End.BROKEN) if may_repeat:
            return Step.NEW_NUMBER if safe else Step.REPLACE
        case Outcome(End.ERROR, 564):
            return Step.GIVE_UP
        case Outcome(End.ERROR, 559, 0) if may_repeat:
            return Step.NEW_SESSION
        case Outcome(End.ERROR, _, 0) if may_repeat:
            return Step.NEW_NUMBER
        case Outcome(End.ERROR, 560, 1) if safe:
            return Step.NEW_SESSION
    return Step.GIVE_UP


def after_check(outcome: Outcome, is_second: bool) -> Step:
    """What follows a check that was not answered. GIVE_UP: as a failed pairing."""
    match outcome:
        case Outcome(End.ERROR, 559 | 560 | 562):
            return Step.NEW_SESSION
        case Outcome(End.BROKEN) | Outcome(End.ERROR, 565):
            return Step.GIVE_UP if is_second else Step.NEW_NUMBER
    return Step.GIVE_UP


def forwarded(attempts: list[Outcome], is_replaced: bool = False) -> str:
    """
    `is_replaced`: the second attempt replaced the first. An error of the peer about it with p=0 then proves that neither
    ran, since the peer consumes both numbers at once and had found both unused.
    """
    last = attempts[-1]
    if is_replaced and last.end is End.ERROR and last.proves_nothing_ran():
        return 'no'
    return 'no' if all(attempt.proves_nothing_ran() for attempt in attempts) else 'maybe'
