"""Self-tests of what the outbound relay repeats: docs/protocol.md, sections 4 and 8."""

from known_answers import expect
from retries import End, Outcome, Step, after_check, after_first_attempt, forwarded

SAFE, IDEMPOTENT, OTHERS = ('GET', 'HEAD', 'OPTIONS'), ('PUT', 'DELETE'), ('POST', 'PATCH')
UNSENT, BROKEN, OTHER = Outcome(End.UNSENT), Outcome(End.BROKEN), Outcome(End.OTHER)


def error(status: int, p: int) -> Outcome:
    return Outcome(End.ERROR, status, p)


ERRORS_WITH_P1 = [error(status, 1) for status in (560, 561, 562, 563, 565, 567)]


def an_attempt_is_repeated_only_where_it_cannot_run_twice() -> None:
    for method in (*SAFE, *IDEMPOTENT, *OTHERS):
        safe = method in SAFE
        for outcome, step in [
            (UNSENT, Step.NEW_NUMBER),
            (BROKEN, Step.NEW_NUMBER if safe else Step.REPLACE),
            (error(559, 0), Step.NEW_SESSION),
            (error(562, 0), Step.NEW_NUMBER),
            (error(564, 0), Step.GIVE_UP),
            (error(560, 1), Step.NEW_SESSION if safe else Step.GIVE_UP),
            (OTHER, Step.GIVE_UP),
            *((other, Step.GIVE_UP) for other in ERRORS_WITH_P1[1:]),
        ]:
            expect((method, outcome, after_first_attempt(method, outcome)), (method, outcome, step))


def a_switch_keeps_post_and_patch_from_being_repeated() -> None:
    for method in OTHERS:
        for outcome in (BROKEN, error(559, 0), error(562, 0)):
            expect(after_first_attempt(method, outcome, retry_unsafe=False), Step.GIVE_UP)
        expect(after_first_attempt(method, UNSENT, retry_unsafe=False), Step.NEW_NUMBER)
    for method in (*SAFE, *IDEMPOTENT):
        for outcome in (UNSENT, BROKEN, error(559, 0), error(562, 0), error(560, 1)):
            expect(
                after_first_attempt(method, outcome, retry_unsafe=False),
                after_first_attempt(method, outcome),
            )


def a_check_is_repeated_once_at_most() -> None:
    for is_second in (False, True):
        for outcome in (error(559, 0), error(560, 1), error(562, 0)):
            expect(after_check(outcome, is_second), Step.NEW_SESSION)
        for outcome in (BROKEN, error(565, 1)):
            step = Step.GIVE_UP if is_second else Step.NEW_NUMBER
            expect(after_check(outcome, is_second), step)
        for outcome in (UNSENT, OTHER, error(563, 1), error(567, 1)):
            expect(after_check(outcome, is_second), Step.GIVE_UP)


def only_proofs_make_a_request_never_forwarded() -> None:
    proofs = [UNSENT, error(559, 0), error(562, 0), error(564, 0)]
    for first in proofs:
        expect(forwarded([first]), 'no')
        for second in proofs:
            expect(forwarded([first, second]), 'no')
        for second in (BROKEN, OTHER, *ERRORS_WITH_P1):
            expect((forwarded([second]), forwarded([first, second])), ('maybe', 'maybe'))
            expect(forwarded([second, first]), 'maybe')


def what_is_said_of_a_replacement_covers_the_message_that_it_replaced() -> None:
    for status in (559, 562, 564):
        expect(forwarded([BROKEN, error(status, 0)], is_replaced=True), 'no')
        expect(forwarded([BROKEN, error(status, 0)]), 'maybe')
    for second in (UNSENT, BROKEN, OTHER, *ERRORS_WITH_P1):
        expect(forwarded([BROKEN, second], is_replaced=True), 'maybe')


TESTS = [
    an_attempt_is_repeated_only_where_it_cannot_run_twice,
    a_switch_keeps_post_and_patch_from_being_repeated,
    a_check_is_repeated_once_at_most,
    only_proofs_make_a_request_never_forwarded,
    what_is_said_of_a_replacement_covers_the_message_that_it_replaced,
]
