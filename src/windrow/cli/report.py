"""``windrow report``, and ``--report`` of the commands that train: a page about a model."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from windrow.cli.groups import command, typed_command
from windrow.cli.help import grouped_option
from windrow.cli.info import chosen_settings, command_words
from windrow.cli.messages import tell
from windrow.cli.paths import InputFile, OutputFile, Source
from windrow.cli.vector_files import advising_to_convert
from windrow.errors import OptionError, WindrowError, warn
from windrow.files.writing import STDIO, write_failure

if TYPE_CHECKING:
    from windrow.bars import BarReport
    from windrow.report.told import Told

_MOST_REPORTS = 400  # of a training, which are thinned out beyond
# Options that the code in Python shows in another way, or that change nothing of the model.
_NOT_OF_THE_MODEL = {
    *("sources", "output", "valid", "report", "log_json", "checkpoint", "checkpoint_every", "resume", "save_vocab"),
    *("counts_out", "from_counts", "memory", "model", "temp_dir"),
}

report_option = grouped_option(
    "--report",
    heading="Output",
    common=False,
    metavar="PAGE",
    type=OutputFile(),
    help="Write a page about the training, .html: settings, learning curve, samples. It needs windrow[viz].",
)


@command(example="windrow report toy.safetensors --log log.jsonl -o toy.html")
@click.argument("model", type=InputFile())
@click.option("-o", "--output", required=True, metavar="PAGE", type=OutputFile(), help="The page to write, .html.")
@click.option(
    "--log",
    type=InputFile(),
    metavar="LOG",
    help="What --log-json wrote, for the learning curve.  [default: what MODEL says of it]",
)
@click.option("--valid", metavar="SOURCE", type=Source(), help="Text held back, to measure MODEL on.")
def report(model: str, output: Path, log: str | None, valid: str | None) -> None:
    """Write a page about MODEL: how it was made, its text, settings and learning curve, and samples of what it answers.

    MODEL holds word vectors, a language model, a tagger or a text classifier. The page is one file that needs nothing
    else, light or dark as the reader's system is. --valid is text, a CoNLL file, or texts with labels, as MODEL was
    trained on; it is not for word vectors, which `vectors evaluate` measures.
    """
    from windrow import models
    from windrow.inspection import inspect
    from windrow.report.page import check_page_path, page_of, save_page
    from windrow.report.told import Told

    check_page_path(output)
    with advising_to_convert():
        opened = models.load(model)
    file = Path(model) if Path(model).is_file() else None
    told = Told()
    if file is not None:
        with suppress(OptionError):  # it does not say which
            facts = inspect(model)
            told = Told(shlex.join(command_words(model, facts)), chosen=chosen_settings(facts))
    save_page(page_of(opened, file, log=log, valid=valid, told=told), output)
    tell(f"{output} written")


class Reporting:
    """The page that ``--report`` asks for, and what a training tells for it; nothing without ``--report``."""

    def __init__(self, page: Path | None, output: Path) -> None:
        self._page = page
        self._file = None if str(output) == STDIO else output
        self._started = time.monotonic()
        self._reports: list[dict[str, Any]] = []
        if page is not None:  # errors come before the training
            from windrow.report.page import check_page_path

            check_page_path(page)

    def following(self, show: Callable[[BarReport], None]) -> Callable[[BarReport], None]:
        """A progress function that calls ``show``, and keeps some of the reports."""
        if self._page is None:
            return show

        def keep(report: BarReport) -> None:
            show(report)
            self._reports.append(report.to_json())
            if len(self._reports) > _MOST_REPORTS:
                del self._reports[::2]

        return keep

    def write(
        self,
        model: Any,
        *,
        valid: Callable[[], Any] = lambda: None,
        reading: Mapping[str, Any] = MappingProxyType({}),
        fit: str = "fit",
        fitting: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Write the page; a warning if that is not possible: the model itself is there.

        ``valid`` gives the text held back, as the model's ``evaluate`` takes it. ``reading``: options of the text.
        ``fitting``: arguments of the method ``fit`` as the page shows them; None is left out.
        """
        if self._page is None:
            return
        from windrow.report.page import page_of, save_page

        try:
            told = self._told(model, reading, fit, fitting)
            save_page(page_of(model, self._file, log=self._log(model), valid=valid(), told=told), self._page)
        except (WindrowError, OSError, MemoryError) as error:
            reason = write_failure(error) if isinstance(error, OSError) else str(error) or "not enough memory"
            warn(f"the report is not written: {reason}")
        else:
            tell(f"{self._page} written")

    def _told(self, model: Any, reading: Mapping[str, Any], fit: str, fitting: Mapping[str, Any]) -> Told:
        from windrow.machine import peak_memory
        from windrow.report.told import Told

        context = click.get_current_context()
        shown = {*(setting.name for setting in model.settings), *reading, *fitting, *_NOT_OF_THE_MODEL}
        given = [one for one in context.command.params if _is_given(context, one.name or "")]
        peak = peak_memory()
        return Told(
            command=typed_command(context),
            sources=context.params["sources"],
            reading={name: value for name, value in reading.items() if _is_given(context, name)},
            fit=fit,
            fitting={name: one for name, one in fitting.items() if one is not None},
            vectors=context.params.get("vectors") or "",
            chosen=["sg" if one.name == "model" else one.name or "" for one in given],
            not_in_code=[max(one.opts, key=len) for one in given if one.name not in shown],
            facts={
                "seconds with reading, compiling and writing": f"{time.monotonic() - self._started:.1f}",
                "most memory": None if peak is None else f"{peak / 1e6:,.0f} MB",
            },
        )

    def _log(self, model: Any) -> list[Mapping[str, Any]]:
        """The reports that were kept, and those of the epochs, by rising number of examples."""
        within = [one for one in self._reports if one["event"] == "progress"]
        rows = [*within, *(row for row in getattr(model, "history_", ()) if isinstance(row, Mapping))]
        return sorted(rows, key=lambda row: (row["examples"], row["event"] == "epoch"))


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE
