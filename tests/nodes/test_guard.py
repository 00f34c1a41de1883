"""Names from outside: 10,000 of them, none leads out of its folder."""

import random

import pytest

from tests.nodes.fake_comfy import part

guard = part("nodes.guard")
InputError = part("echotorrent_core.errors").InputError

PIECES = (
    *("..", ".", "", "/", "//", "\\", "~", "~root", "C:", "C:\\", "\\\\host\\share", "file://", "%2e%2e", "%2f", "\0"),
    *("\n", "\r", " ", "a", "run", "out", "link", "loop", "CON", "nul.txt", "a" * 300, "é", "\u2024\u2024", "\uff0f"),
    *(
        "\u202e",
        "..;",
        "...",
        "....//",
        "|",
        "?",
        "*",
        '"',
        "<",
        "$HOME",
        "`id`",
        ".hidden",
        "a.",
        "a ",
        "-",
        "etc/passwd",
    ),
)


def names(count, seed=0):
    chance = random.Random(seed)
    for _ in range(count):
        if chance.random() < 0.2:
            yield "".join(
                chr(chance.choice((chance.randrange(1, 128), chance.randrange(1, 0x3000)))) for _ in range(12)
            )
        else:
            yield chance.choice(("", "/")).join(chance.choice(PIECES) for _ in range(chance.randrange(1, 6)))


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "output"
    (folder / "run").mkdir(parents=True)
    (tmp_path / "secret").write_text("x")
    (folder / "link").symlink_to(tmp_path, target_is_directory=True)
    (folder / "loop").symlink_to(folder / "loop")
    return folder


def test_no_name_leads_out(root):
    """Fuzz: what is let through lies below the root, and what the system makes of it does too."""
    let_through = 0
    for name in names(10_000):
        try:
            path = guard.inside(root, name)
        except InputError:
            continue
        let_through += 1
        assert path != root and path.resolve().is_relative_to(root.resolve()), name
        assert ".." not in path.parts and "\0" not in str(path)
    assert 100 < let_through < 5000  # it refuses, and not everything


def test_file_names_stay_in_their_folder(root):
    for name in names(10_000, seed=1):
        try:
            found = guard.file_name(name)
        except InputError:
            continue
        assert not set(found) & set("/\\:\0\n") and found not in (".", "..") and len(found) <= 64
        assert guard.inside(root, f"{found}_0123456789abcdef").parent == root.resolve()


def test_ids_are_16_digits():
    assert guard.run_id("0123456789abcdef") == "0123456789abcdef"
    for name in [*names(10_000, seed=2), "0123456789ABCDEF", "0123456789abcde", "0123456789abcdef\n", "٠" * 16]:
        with pytest.raises(InputError):
            guard.run_id(name)


@pytest.mark.parametrize(
    "name", ["../secret", "link/secret", "/etc/passwd", "run/../../secret", "loop", "", ".", "link"]
)
def test_ways_out_are_closed(root, name):
    with pytest.raises(InputError):
        guard.inside(root, name)


@pytest.mark.parametrize(
    ("origin", "host", "foreign"),
    [
        (None, "127.0.0.1:8188", False),
        ("http://127.0.0.1:8188", "127.0.0.1:8188", False),
        ("https://comfy.example", "comfy.example", False),
        ("http://127.0.0.1:9000", "127.0.0.1:8188", True),
        ("http://evil.example", "127.0.0.1:8188", True),
        ("http://127.0.0.1.evil.example:8188", "127.0.0.1:8188", True),
        ("null", "127.0.0.1:8188", True),
        ("http://[", "127.0.0.1:8188", True),
    ],
)
def test_foreign_pages_are_known(origin, host, foreign):
    assert guard.foreign(origin, host) is foreign
