"""What makes requests to inbound.py wait for each other."""

import threading


class Gates:
    """
    A request for /held/<name> is answered, and the body of one for /paused/<name> is taken, only once /release/<name>
    was requested.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open: set[str] = set()

    def open_by(self, path: str) -> None:
        name = _name_in(path, 'release')
        if name is not None:
            with self._changed:
                self._open.add(name)
                self._changed.notify_all()

    def wait_for_answer(self, path: str) -> None:
        self._wait(_name_in(path, 'held'))

    def wait_for_body(self, path: str) -> None:
        self._wait(_name_in(path, 'paused'))

    def _wait(self, name: str | None) -> None:
        with self._changed:
            self._changed.wait_for(lambda: name is None or name in self._open)


def pauses_body(path: str) -> bool:
    return _name_in(path, 'paused') is not None


def _name_in(path: str, kind: str) -> str | None:
    found, _, name = path.split('?')[0].removeprefix('/').partition('/')
    return name if found == kind else None
