"""The misfortunes that inbound.py meets with, as its documentation describes them."""

import threading
from collections import Counter

NAMES = ('forgotten', 'stepped', 'lost', 'unheard', 'restarted', 'recreated')


class Faults:
    """Decides which requests meet with the misfortune that their path names."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def of(self, path: str) -> str | None:
        name, _, times = path.split('?')[0].removeprefix('/').partition('/')
        if name not in NAMES:
            return None
        with self._lock:
            self._seen[path] += 1
            return name if self._seen[path] <= int(times or 1) else None
