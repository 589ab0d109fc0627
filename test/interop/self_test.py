"""
Tests this implementation against the test vectors of the standards and of test/vectors:

    python3 -B test/interop/self_test.py

Prints one line for each test that passes and stops with an error at the first that fails.
"""

import admission_test
import channel_openings_test
import channel_sockets_test
import channel_streams_test
import channel_vectors_test
import messages_test
import pairing_test
import primitives_test
import retries_test
import upgrade_heads_test
import upgrade_sockets_test
import websocket_test

TESTS = [
    *primitives_test.TESTS,
    *pairing_test.TESTS,
    *messages_test.TESTS,
    *admission_test.TESTS,
    *retries_test.TESTS,
    *websocket_test.TESTS,
    *channel_vectors_test.TESTS,
    *channel_streams_test.TESTS,
    *channel_openings_test.TESTS,
    *channel_sockets_test.TESTS,
    *upgrade_heads_test.TESTS,
    *upgrade_sockets_test.TESTS,
]


if __name__ == '__main__':
    for test in TESTS:
        test()
        print('passed:', test.__name__.replace('_', ' '))
