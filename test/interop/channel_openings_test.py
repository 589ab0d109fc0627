"""Self-tests of when channels are opened again, and of their liveness: docs/protocol.md, sections 11.1 and 11.5."""

from known_answers import expect
from liveness import Liveness, Sign
from opening_retries import NO_CHANNELS, NOT_REACHED, REFUSED_FOR_NOW, Failure, Step, after_failure


def an_opening_is_repeated_as_its_failure_allows() -> None:
    signed = lambda status: Failure(status, is_signed=True)
    for failure, first, delay in [
        *((signed(status), Step.NEW_SESSION, REFUSED_FOR_NOW) for status in (559, 560, 562)),
        (signed(565), Step.NEW_NUMBER, REFUSED_FOR_NOW),
        *((signed(status), Step.LATER, REFUSED_FOR_NOW) for status in (561, 563, 564, 567)),
        (Failure(was_reached=False), Step.LATER, NOT_REACHED),
        *((Failure(status), Step.LATER, NOT_REACHED) for status in (408, 502, 503, 504, 520, 524)),
        *((Failure(status), Step.LATER, NO_CHANNELS) for status in (None, 101, 200, 400, 426, 560, 566)),
    ]:
        expect((failure, after_failure(failure, is_second=False)), (failure, (first, delay)))
        expect(after_failure(failure, is_second=True)[0], Step.LATER)


def delays_double_up_to_their_longest() -> None:
    expect([REFUSED_FOR_NOW.after(n) for n in (1, 2, 3, 10, 11)], [1, 2, 4, 512, 600])
    expect([NOT_REACHED.after(n) for n in (1, 2, 7, 8)], [0.25, 0.5, 16, 30])
    expect([NO_CHANNELS.after(n) for n in (1, 2, 5, 6)], [30, 60, 480, 600])


def an_idle_channel_is_pinged_and_breaks_if_nothing_comes() -> None:
    liveness = Liveness(received_at=0)
    expect([liveness.due(now) for now in (0, 19.9, 20)], [Sign.NOTHING, Sign.NOTHING, Sign.PING])
    liveness.made_ping(20)
    liveness.ping_left(25)
    expect([liveness.due(now) for now in (34.9, 35)], [Sign.NOTHING, Sign.BROKEN])
    liveness.received(34.9)
    expect(liveness.due(44), Sign.NOTHING)
    liveness.answered()
    expect([liveness.due(now) for now in (54, 54.9)], [Sign.NOTHING, Sign.PING])


def a_ping_that_cannot_leave_breaks_the_channel_later() -> None:
    liveness = Liveness(received_at=0)
    liveness.made_ping(20)
    expect([liveness.due(now) for now in (79.9, 80)], [Sign.NOTHING, Sign.BROKEN])


TESTS = [
    an_opening_is_repeated_as_its_failure_allows,
    delays_double_up_to_their_longest,
    an_idle_channel_is_pinged_and_breaks_if_nothing_comes,
    a_ping_that_cannot_leave_breaks_the_channel_later,
]
