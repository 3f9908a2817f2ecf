"""What is read of a store while its owner writes as fast as it can, and moves: never torn, and all of one moment.

The store at the registry has `a` and `b`, bytes that are all the same and the same in both, and other keys that come and go.
"""

import os
import unittest

from memsvc import Busy, Registry

READS = int(os.environ.get('MEMSVC_READS', '3000'))


class Reading(unittest.TestCase):
    def setUp(self):
        with Registry() as registry:
            self.store = registry.get_store()
        self.addCleanup(self.store.close)

    def whole(self, content):
        self.assertEqual(content, content[:1] * len(content))
        return content[0]

    def test_values_are_whole_and_versions_rise(self):
        last = 0
        for _ in range(READS):
            value = self.store.get('a')
            self.whole(value.content)
            self.assertGreaterEqual(value.version, last)
            last = value.version

    def test_snapshots_are_of_one_moment(self):
        seen = 0
        for _ in range(READS // 10):
            try:
                values = self.store.snapshot('')
            except Busy:
                continue
            seen += 1
            self.assertEqual(self.whole(values['a'].content), self.whole(values['b'].content))
        self.assertGreater(seen, 0)


if __name__ == '__main__':
    unittest.main()
