"""The agent's settings, and the example file that explains them."""

import re
import tomllib
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from wabiz_tui.model.config import Config, ca_file, config_error, load_config, parse_config, split_keys
from wabiz_tui.model.errors import DocumentError
from wabiz_tui.model.paths import paths_under

EXAMPLE = (Path(__file__).parents[3] / "config.example.toml").read_text(encoding="utf-8")


def test_the_example_is_the_defaults():
    """Copying the example file changes nothing."""
    assert parse_config(EXAMPLE) == Config()


def test_the_example_has_every_key_and_explains_it():
    """Each key of each section stands in the example, under a comment."""
    tree = tomllib.loads(EXAMPLE)
    for section in msgspec.structs.fields(Config):
        assert section.name in tree
        if isinstance(section.type, type) and issubclass(section.type, msgspec.Struct):
            assert set(tree[section.name]) == {field.name for field in msgspec.structs.fields(section.type)}
    for key in re.finditer(r"^([a-z_]+) = ", EXAMPLE, re.MULTILINE):
        assert EXAMPLE[: key.start()].rstrip("\n").splitlines()[-1].startswith("#"), key[1]


def test_the_commented_keys_of_the_example_work():
    """The bindings shown as comments are valid when uncommented."""
    shown = re.sub(r'^#   ("[a-z.]+" = ".*")$', r"\1", EXAMPLE, flags=re.MULTILINE)

    assert parse_config(shown).keymap == {"conversation.resolve": "e, ctrl+e", "go.mine": "g i"}


def test_no_file_means_the_defaults(tmp_path: Path):
    """Settings are optional."""
    assert load_config(paths_under(tmp_path / "a home")) == Config()


def test_a_file_is_read_from_the_configuration_folder(tmp_path: Path):
    """A wrong key is refused with the file's path, its line and the nearest name."""
    paths = paths_under(tmp_path)
    paths.config_file.write_text("shared_host = true\n")
    assert load_config(paths).shared_host

    paths.config_file.write_text("[screen]\ntheme = 'light'\nsend_kye = 'enter'\n")
    with pytest.raises(DocumentError) as refused:
        load_config(paths)
    error = refused.value
    assert (error.file, error.line, error.key, error.nearest) == (str(paths.config_file), 3, "screen.send_kye", "send_key")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[keys]\norder = []", "keys.order"),
        ("[keys]\norder = ['keyring', 'keyring']", "keys.order"),
        ("[keys]\norder = ['plain-file']", "keys.order[1]"),
        ("[keys]\nallow = ['not a class']", "keys.allow[1]"),
        ("[keys]\nunsafe_test = 'yes'", "keys.unsafe_test"),
        ("[desk]\nidle_lock = 60", "desk.idle_lock"),
        ("[desk]\nidle_lock = 'soon'", "desk.idle_lock"),
        ("[desk]\nidle_lock = '999999999w'", "desk.idle_lock"),
        ("[screen]\ntheme = 'pink'", "screen.theme"),
        ("[keymap]\nresolve = 'e'", "keymap.resolve"),
        ("[keymap]\n'a.b' = 'g i x'", 'keymap."a.b"'),
        ("[keymap]\n'a.b' = ['e']", 'keymap."a.b"'),
        ("[keymap.a]\nb = 'e'", "keymap.a"),
    ],
)
def test_wrong_settings_are_refused(text: str, key: str):
    """Each is refused at its key."""
    with pytest.raises(DocumentError) as refused:
        parse_config(text)

    assert refused.value.key == key


@pytest.mark.parametrize(("own", "policy", "expected"), [("0s", "5m", 300), ("90s", "5m", 90), ("1h", "5m", 300)])
def test_idling_can_only_be_made_shorter(own: str, policy: str, expected: int):
    """The agent's own time counts only where it is shorter than the policy's."""
    config = parse_config(f"[desk]\nidle_lock = '{own}'\n")

    assert config.idle_lock(timedelta(minutes=int(policy[0]))) == timedelta(seconds=expected)


def test_an_unknown_action_is_refused_at_its_line(tmp_path: Path):
    """The screen, which knows the actions, refuses one with the place in the file."""
    paths = paths_under(tmp_path)
    paths.config_file.write_text("[keymap]\n'conversation.resolv' = 'e'\n")

    error = config_error(paths, ("keymap", "conversation.resolv"), "There is no such action.", nearest="conversation.resolve")

    assert (error.line, error.nearest) == (2, "conversation.resolve")


def test_keys_are_comma_lists():
    """Blanks do not matter around commas, an empty list unbinds, a sequence keeps its blank."""
    assert split_keys(" e,ctrl+e , g i") == ("e", "ctrl+e", "g i")
    assert split_keys("") == ()


def test_the_authorities_file_is_beside_the_settings(tmp_path: Path):
    """A relative name is resolved beside config.toml, an absolute one as it is, none means the system's."""
    paths = paths_under(tmp_path)

    assert ca_file(parse_config("[hub]\nca_file = 'ca.pem'"), paths) == tmp_path / "ca.pem"
    assert ca_file(parse_config("[hub]\nca_file = '/etc/ca.pem'"), paths) == Path("/etc/ca.pem")
    assert ca_file(Config(), paths) is None
