"""Command line: `echotorrent generate | play | estimate | inspect | info`. Bad input: one sentence and exit code 2."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from . import __version__
from .errors import InputError

INTERRUPTED = 130


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code (0 done, 1 failed, 2 bad input, 130 Ctrl-C)."""
    args = _parser().parse_args(argv)
    try:
        return args.run(args)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away; nothing more may be flushed there
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (InputError, MemoryError, RuntimeError, ArithmeticError) as error:
        print(f"echotorrent: {str(error) or type(error).__name__}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="echotorrent", description="A portrait and speech in, a talking video out.")
    parser.add_argument("--version", action="version", version=f"echotorrent {__version__}")
    commands = parser.add_subparsers(metavar="command", required=True)

    source = argparse.ArgumentParser(add_help=False)
    source.add_argument("--image", metavar="FILE", help="portrait: any image, or a video (its first frame)")
    source.add_argument("--audio", metavar="FILE", help="speech: any sound or video file; - reads standard input live")
    source.add_argument("--audio-format", metavar="F", help="headerless samples, e.g. s16le:16000 or s16le:48000:2")
    source.add_argument("--audio-2", metavar="FILE", help="a second speaker, for presets that know two")
    source.add_argument("--mask", metavar="FILE", help="where the first of two speakers is: a picture, white there")
    source.add_argument("--mask-2", metavar="FILE", help="where the second one is (default: the two halves)")
    source.add_argument("--prompt", help="expression, gaze, head turn, e.g. 'smiling, looks left'")
    source.add_argument("--preset", help="model (default embedded; see 'echotorrent info')")
    source.add_argument("--weights", metavar="DIR", type=Path, help="folder with the embedded preset's weights")
    published = source.add_argument_group("published models", "recognised by what is in them, whatever they are called")
    published.add_argument("--model-dir", metavar="DIR", type=Path, help="folder that is searched for weights")
    published.add_argument("--model", metavar="FILE", type=Path, action="append", help="one weight file (repeatable)")
    published.add_argument(
        "--lora", metavar="FILE[:S]", action="append", help="LoRA at strength S, default 1 (repeatable)"
    )
    published.add_argument("--dtype", help="weights: bf16 (default), fp32, fp16, fp8 or int8")
    published.add_argument("--kv", metavar="DTYPE", help="histories: bf16, fp32, fp16 or fp8 (default: the preset's)")
    published.add_argument("--size", metavar="WxH", help="picture in pixels (default: the preset's)")
    published.add_argument("--device", help="cuda, cuda:1, mps or cpu (default: the first GPU, else cpu)")
    published.add_argument("--encoder-device", metavar="DEVICE", help="of the encoders (default: the same)")
    published.add_argument(
        "--whole-recording",
        action="store_true",
        help="encode all of the speech at once, as InfiniteTalk does (default: the last 8 seconds, as a stream)",
    )
    published.add_argument(
        "--tokenizer", metavar="PATH", type=Path, help="tokenizer of the text encoder: file or folder"
    )
    published.add_argument("--allow-pickle", action="store_true", help="also read .pth files (tensors only, no code)")
    source.add_argument("--seed", type=int, help="same seed, same bytes (default 0)")
    source.add_argument("--run-dir", metavar="DIR", type=Path, help="where the run is kept while it is made")
    source.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: all cores)")
    source.add_argument("--quiet", action="store_true", help="no progress bar")

    generate = commands.add_parser("generate", parents=[source], help="write a video file")
    generate.add_argument("-o", "--output", metavar="MP4", type=Path, default=Path("out.mp4"))
    generate.add_argument("--resume", metavar="RUN", type=Path, help="go on with an interrupted run folder")
    generate.add_argument("--keep-run", action="store_true", help="keep the run folder of a finished video")
    generate.set_defaults(run=_generate)

    play = commands.add_parser("play", parents=[source], help="watch a run while it is made")
    play.add_argument("folder", nargs="?", metavar="RUN", type=Path, help="existing run folder, also one in the making")
    way = play.add_mutually_exclusive_group()
    way.add_argument("--output", metavar="PATH", help="write fragmented MP4 there as it is made; - is standard output")
    way.add_argument("--serve", action="store_true", help="serve a page on this machine (default)")
    play.add_argument("--port", type=int, default=8420, help="port of the page (default 8420; 0 picks a free one)")
    play.add_argument("--open", action="store_true", help="open the page in the browser")
    play.set_defaults(run=_play, resume=None, keep_run=True)

    estimate = commands.add_parser("estimate", help="memory a preset takes, and whether it fits this device")
    estimate.add_argument("preset", metavar="PRESET", help="see 'echotorrent info'")
    estimate.add_argument("--size", metavar="WxH", help="picture in pixels, e.g. 720x400 (default: the preset's)")
    estimate.add_argument("--dtype", default="bf16", help="weights: fp32, bf16 (default), fp16, fp8 or int8")
    estimate.add_argument("--kv", metavar="DTYPE", help="histories: fp32, bf16, fp16 or fp8 (default: the preset's)")
    estimate.add_argument("--device", help="cuda, cuda:1, mps or cpu (default: the first GPU, else cpu)")
    estimate.set_defaults(run=_estimate)

    inspect = commands.add_parser("inspect", help="what weight files are, and what is missing to run them")
    inspect.add_argument(
        "files", nargs="+", metavar="FILE", type=Path, help="files or folders; nothing but headers is read"
    )
    inspect.add_argument("--allow-pickle", action="store_true", help="also read .pth files (tensors only, no code)")
    inspect.set_defaults(run=_inspect)

    info = commands.add_parser("info", help="presets, weights, devices, versions")
    info.set_defaults(run=_info)
    return parser


def _generate(args: argparse.Namespace) -> int:
    from . import jobs

    return jobs.generate(args)


def _play(args: argparse.Namespace) -> int:
    from . import play

    return play.play(args)


def _estimate(args: argparse.Namespace) -> int:
    from . import estimate

    for line in estimate.of_preset(args.preset, args.size, args.dtype, args.kv, args.device).lines():
        print(line)
    return 0


def _inspect(args: argparse.Namespace) -> int:
    from . import inspect_files

    report = inspect_files.inspect(args.files, args.allow_pickle)
    for line in report.lines:
        print(line)
    for problem in report.problems:
        print(f"echotorrent: {problem}", file=sys.stderr)
    return 2 if report.problems else 0


def _info(args: argparse.Namespace) -> int:
    from . import jobs

    for line in jobs.describe():
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
