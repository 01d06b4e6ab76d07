"""Plants each fault that check.py is there to find."""

import unittest

import check
import record

FUNCTIONS = {"core": {"f1_x"}, "testkit": {"suite"}, "kms": set(), "sse-c": set()}
TARGETS = {("src/lib.rs", "object_cipher_core"): frozenset({"core"}),
           ("src/lib.rs", "object_cipher_kms"): frozenset({"kms"}),
           ("tests/server.rs", "server"): frozenset({"core", "kms"})}
RECORD = """
=== tests
     Running unittests src/lib.rs (target/debug/deps/object_cipher_core-0123456789abcdef)
test module::f1_x ... ok
     Running tests/server.rs (target/debug/deps/server-0123456789abcdef)
test f1_server ... ok
   Doc-tests object_cipher_core
test f1_documentation ... ok
=== tests: 12 s

SKIPPED: advisories: no database
"""


def whole():
    """A catalogue without a fault."""
    return {attack: {"tried": "x", "must": "y", "open": "z"} for attack in check.ids()}


def shown_by(**entry):
    return {"F1": {"tried": "x", "must": "y"} | entry}


def run(text=RECORD):
    return record.Run(text, TARGETS)


class List(unittest.TestCase):
    def faults(self, catalogue):
        return list(check.of_the_list(catalogue))

    def test_a_whole_list_has_no_fault(self):
        self.assertEqual(self.faults(whole()), [])
        self.assertEqual(len(check.ids()), 137)

    def test_each_missing_id_is_found(self):
        for attack in check.ids():
            catalogue = whole()
            del catalogue[attack]
            self.assertEqual(self.faults(catalogue), [f"{attack}: not in the catalogue"])

    def test_an_unknown_id_is_found(self):
        self.assertEqual(len(self.faults(whole() | {"F17": whole()["F1"]})), 1)

    def test_an_entry_without_a_word_or_with_an_unknown_one_is_found(self):
        for fault in ({"must": "y", "open": "z"}, {"tried": "x", "open": "z"}, {"tried": "x", "must": "y"},
                      {"tried": "x", "must": "y", "tests": {}}, {"tried": "", "must": "y", "open": "z"},
                      whole()["F1"] | {"test": []}):
            self.assertEqual(len(self.faults(whole() | {"F1": fault})), 1, fault)


class Sources(unittest.TestCase):
    def faults(self, **entry):
        return list(check.of_the_sources(shown_by(**entry), FUNCTIONS, {"format"}, {"fuzz/run"}.__contains__))

    def test_what_is_there_has_no_fault(self):
        self.assertEqual(self.faults(tests={"core": ["f1_x"], "sse-c": ["suite"]}, steps=["format"],
                                     scripts=["fuzz/run"]), [])

    def test_a_missing_test_is_found(self):
        self.assertEqual(self.faults(tests={"core": ["f1_x", "f1_y"]}), ["F1: core has no test f1_y"])
        self.assertEqual(self.faults(tests={"kms": ["f1_x"]}), ["F1: kms has no test f1_x"])

    def test_a_missing_package_step_or_script_is_found(self):
        for entry in ({"tests": {"kmss": ["suite"]}}, {"steps": ["lints"]}, {"scripts": ["fuzz"]}):
            self.assertEqual(len(self.faults(**entry)), 1, entry)


class Runs(unittest.TestCase):
    def faults(self, text=RECORD, **entry):
        return list(check.of_the_run(shown_by(**entry), run(text)))

    def test_what_ran_has_no_fault(self):
        self.assertEqual(self.faults(tests={"core": ["f1_x", "f1_server"]}, steps=["tests", "advisories"]), [])

    def test_a_test_that_did_not_run_is_found(self):
        for package, test in (("core", "f1_y"), ("kms", "f1_x"), ("kms", "f1_server"),
                              ("core", "f1_documentation")):
            self.assertEqual(self.faults(tests={package: [test]}), [f"F1: {package} did not run {test}"])

    def test_a_test_that_was_ignored_or_failed_is_found(self):
        for outcome, fault in (("ignored, needs a server", "core did not run f1_x"), ("FAILED", "core's f1_x: FAILED")):
            text = RECORD.replace("f1_x ... ok", f"f1_x ... {outcome}")
            self.assertEqual(self.faults(text, tests={"core": ["f1_x"]}), [f"F1: {fault}"])

    def test_a_test_that_is_ignored_in_one_step_and_passes_in_another_has_no_fault(self):
        text = RECORD.replace("f1_x ... ok", "f1_x ... ignored") + RECORD
        self.assertEqual(self.faults(text, tests={"core": ["f1_x"]}), [])

    def test_a_test_that_passed_once_and_failed_once_is_found(self):
        text = RECORD.replace("f1_server", "other::f1_x").replace("other::f1_x ... ok", "other::f1_x ... FAILED")
        self.assertEqual(self.faults(text, tests={"core": ["f1_x"]}), ["F1: core's f1_x: FAILED, ok"])

    def test_a_step_that_did_not_end_is_found(self):
        text = RECORD.replace("=== tests: 12 s", "")
        self.assertEqual(len(self.faults(text, steps=["tests"])), 1)

    def test_a_script_that_runs_one_file_of_tests_counts_for_it(self):
        text = RECORD.replace("src/lib.rs", "src/other.rs")
        self.assertEqual(self.faults(text, tests={"kms": ["f1_server"]}), [])


if __name__ == "__main__":
    unittest.main()
