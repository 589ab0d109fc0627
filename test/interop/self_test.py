"""
Tests this implementation against the test vectors of the standards and of test/vectors:

    python3 -B test/interop/self_test.py

Prints one line for each test that passes and stops with an error at the first that fails.
"""

import admission_test
import messages_test
import pairing_test
import primitives_test
import retries_test

TESTS = [
    *primitives_test.TESTS,
    *pairing_test.TESTS,
    *messages_test.TESTS,
    *admission_test.TESTS,
    *retries_test.TESTS,
]


if __name__ == '__main__':
    for test in TESTS:
        test()
        print('passed:', test.__name__.replace('_', ' '))
