"""What the published encoders share: names of their weights, sizes read from shapes, building without memory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import nn

from ..errors import InputError
from ..weights.layouts import official
from ..weights.load import load_module, on_meta
from ..weights.source import Source, TensorSource, renamed

Model = TypeVar("Model", bound=nn.Module)


def named(source: TensorSource, rules: Mapping[str, str], ignored: str) -> Source:
    """View of `source`, any prefix gone, under the names of the `transformers` class.

    rules: pattern -> name, for keys of other spellings (other keys keep theirs, so that what is unknown is refused);
    ignored: pattern of keys the encoder has no use for.
    """
    source = official(source)
    keys = [key for key in source.keys() if not re.fullmatch(ignored, key)]  # noqa: SIM118 (not a dict)
    return renamed(source, {_rename(key, rules): key for key in keys})


def _rename(key: str, rules: Mapping[str, str]) -> str:
    """What the first rule whose pattern is the whole key makes of it; the key itself if there is none."""
    for pattern, name in rules.items():
        if match := re.fullmatch(pattern, key):
            return match.expand(name)
    return key


def shape(source: TensorSource, key: str, dimensions: int, what: str) -> tuple[int, ...]:
    """Shape of a tensor that every `what` has. InputError if it is missing or has other dimensions."""
    if key not in source.keys():  # noqa: SIM118 (not a dict)
        raise InputError(f"{files(source)}: '{key}' of a {what} is missing; give the weights of a {what}")
    found = source.shape(key)
    if len(found) != dimensions or 0 in found:
        raise InputError(
            f"{files(source)}: '{key}' has shape {found}, expected the {dimensions} dimensions it has in a {what}; "
            f"give the weights of a {what}"
        )
    return found


def count(source: TensorSource, pattern: str) -> int:
    """Number of layers: how many different numbers the group of `pattern` takes."""
    return len({match[1] for key in source.keys() if (match := re.match(pattern, key))})  # noqa: SIM118


def files(source: TensorSource) -> str:
    """The source's files, for messages."""
    more = len(source.files) - 1
    return f"{source.files[0]}" + (f" and {more} more" if more else "")


@contextmanager
def building(source: TensorSource, what: str) -> Iterator[None]:
    """Models made inside take no memory. InputError where `transformers` cannot make a `what` of the source's sizes."""
    try:
        with on_meta():
            yield
    except InputError:
        raise
    except Exception as error:  # the library's refusals have no common class
        raise InputError(f"{files(source)}: a {what} cannot have the sizes of these weights ({error})") from error


def fill(model: Model, source: TensorSource, dtype: torch.dtype, device: torch.device | str) -> Model:
    """A model made by `building`, filled strictly, frozen and ready to run."""
    return load_module(model, source, dtype=dtype, device=device).eval().requires_grad_(False)
