"""The fixtures, as an author's own test run uses them."""

from __future__ import annotations

import pytest

PLUGIN = """
from mmhooks import App, Post, Reject
app = App()
@app.hook
def message_will_be_posted(post):
    if post.message == "no":
        return Reject("No.")
if __name__ == "__main__":
    app.run()
"""

TESTS = """
from mmhooks import Post

def test_in_process(plugin_client):
    assert plugin_client.message_will_be_posted(Post(message="no")).reason == "No."

def test_live(live_client):
    assert live_client.message_will_be_posted(Post(message="no")).reason == "No."
    assert live_client.implemented_hooks() == ["OnActivate", "MessageWillBePosted"]  # over net/rpc
"""


def run(
    pytester: pytest.Pytester, plugin: str = PLUGIN, app: str = "my_plugin:app", tests: str = TESTS, settings: str = ""
) -> pytest.RunResult:
    pytester.makeini(f"[pytest]\nmmhooks_app = {app}\n{settings}\n")
    pytester.makepyfile(my_plugin=plugin, test_it=tests)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "error")


def test_fixtures_give_the_plugin_in_process_and_live(pytester: pytest.Pytester) -> None:
    run(pytester).assert_outcomes(passed=2)


def test_host_of_the_live_client_is_a_setting(pytester: pytest.Pytester) -> None:
    tests = TESTS.replace('["OnActivate", "MessageWillBePosted"]', '["MessageWillBePosted"]')
    run(pytester, tests=tests, settings="mmhooks_host = grpc").assert_outcomes(passed=2)


def test_unknown_host_says_what_to_write(pytester: pytest.Pytester) -> None:
    result = run(pytester, settings="mmhooks_host = net/rpc")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(['*mmhooks_host = \'net/rpc\': write "netrpc" or "grpc"'])


@pytest.mark.parametrize(
    ("app", "message"),
    [
        ("", "which app to test"),
        ("my_plugin", "which app to test"),
        ("my_plugn:app", "there is no module 'my_plugn'"),
        ("my_plugin:ap", "my_plugin.ap is no mmhooks.App"),
    ],
)
def test_wrong_setting_says_what_to_write(pytester: pytest.Pytester, app: str, message: str) -> None:
    result = run(pytester, app=app)
    result.stdout.fnmatch_lines([f"*mmhooks_app*{message}*"])


def test_plugins_own_import_error_is_shown_as_it_is(pytester: pytest.Pytester) -> None:
    result = run(pytester, "import no_such_library\n" + PLUGIN)
    result.stdout.fnmatch_lines(["*ModuleNotFoundError: No module named 'no_such_library'*"])


def test_plugin_that_runs_itself_at_import_is_told_how_not_to(pytester: pytest.Pytester) -> None:
    result = run(pytester, PLUGIN.replace('if __name__ == "__main__":\n    app.run()', "app.run()"))
    result.stdout.fnmatch_lines(["*put app.run() under*"])


def test_live_plugin_that_does_not_start_shows_its_output(pytester: pytest.Pytester) -> None:
    broken = PLUGIN.replace("    app.run()", "    print(1 / 0)")
    result = run(pytester, broken)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*StartFailed: *my_plugin.py ended with status 1*", "*ZeroDivisionError*"])


def test_live_plugin_without_run_is_told_what_is_missing(pytester: pytest.Pytester) -> None:
    result = run(pytester, PLUGIN.replace("    app.run()", "    pass"))
    result.stdout.fnmatch_lines(["*StartFailed: *does it end with `app.run()`?*"])


def test_nothing_of_mmhooks_is_imported_for_tests_that_do_not_use_it(pytester: pytest.Pytester) -> None:
    tests = "import sys\ndef test_it():\n    assert not {'mmhooks.app', 'grpc', 'google.protobuf', 'msgspec'} & {*sys.modules}\n"
    run(pytester, tests=tests).assert_outcomes(passed=1)


IN_MEMORY = """
import pytest
from mmhooks import BadRequest

@pytest.fixture
def mattermost_settings():
    return {"Word": "never"}

def test_in_memory(mattermost):
    alice = mattermost.add_user("alice")
    assert mattermost.post("town-square", "hello", user=alice).message == "hello"
    with pytest.raises(BadRequest, match=r"Post rejected by plugin\\. No\\."):
        mattermost.post("town-square", "no", user=alice)
    assert mattermost.server.answer("LoadPluginConfiguration", ()) == b'{"word": "never"}'
"""


def test_a_mattermost_in_memory_has_the_plugin_in_it(pytester: pytest.Pytester) -> None:
    run(pytester, tests=IN_MEMORY).assert_outcomes(passed=1)
