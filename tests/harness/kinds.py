# SPDX-License-Identifier: Apache-2.0
"""The kinds of tests, and where each is found."""
import lint
import scripts
import syscalls
import units


def collect():
    """All tests, those that take long first, so that the last minutes keep every core busy."""
    return [*sorted(scripts.apps(), key=lambda t: -t.limit), *scripts.end_to_end(), *units.fuzzers(), *units.sanitized(), *units.unit(), *lint.checks(),
            *syscalls.programs()]
