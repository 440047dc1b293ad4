"""The verbs that use a model: predict, evaluate, bench."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from ostinato.commands import (
    Faults,
    ModelDefaults,
    as_table,
    counter,
    progress_bar,
    quiet_tensorflow,
    quiet_tensorflow_for,
    say,
)
from ostinato.commands.whole_numbers import refuse_fractions
from ostinato.errors import InputError, UserError
from ostinato.files import write_atomically
from ostinato_translate.command import DEFAULT_MODEL, FLAG, FLAT, Format, app, open_run
from ostinato_translate.config import DecodingConfig, TrainConfig
from ostinato_translate.lines import read_lines
from ostinato_translate.sentence_pairs import ScoredText, SentencePairs

if TYPE_CHECKING:
    from ostinato_translate.inputs import TextInput
    from ostinato_translate.run import Run
    from ostinato_translate.translator import Translator

Tokenisation = Literal["13a", "intl", "char", "zh", "none"]


@app.command(config=[refuse_fractions, ModelDefaults("--model", DEFAULT_MODEL)])
def predict(
    # not a list: of that, cyclopts takes what stands before the first flag only
    *texts: Annotated[str, Parameter(name="TEXT")],
    to: str,
    file: list[Path] | None = None,
    model: str = DEFAULT_MODEL,
    server: str | None = None,
    decoding: Annotated[DecodingConfig, FLAT] = DecodingConfig(),
    prefix: str = "",
    score: Annotated[bool, FLAG] = False,
    alternatives: int = 0,
    interactive: Annotated[bool, FLAG] = False,
    format: Format = "text",
    explain: Path | None = None,
) -> int:
    """Translate texts.

    Args:
      texts: texts (behind `--` if one begins with a hyphen), or `-` for standard input (a text a line, or a JSON object
        a line with `text`).
      to: language to translate into, such as de; several with commas between, such as de,fr.
      file: file to translate line by line, plain or .gz, as standard input; may be given more than once.
      model: exported folder, with or without its version, or the name of a shipped model.
      server: address of a server that computes instead, such as http://localhost:8501 or grpc://localhost:8500; it
        serves the same version of MODEL. By TLS: https:// or grpcs://.
      prefix: what every translation is to begin with.
      score: score given translations instead: of each text behind a tab, in JSON in the field `translation`.
      alternatives: show so many pieces that may follow the prefix instead.
      interactive: translate what is typed, line by line; :help shows what else can be said.
      format: text for people, or one JSON object a line.
      explain: folder for pictures of what each written piece looked at, and the same as JSON.
    """
    from ostinato_translate.inputs import read_inputs

    decoding.check_search()
    _check_what_is_asked(texts, file, score=score, alternatives=alternatives, interactive=interactive, explain=explain)
    inputs = read_inputs(texts, file or [], sys.stdin.buffer, scored=score)
    for path in file or []:
        path.open("rb").close()  # one that is missing is said before the model is loaded
    quiet_tensorflow_for(server)
    from ostinato_translate.alignment_picture import AlignmentFolder
    from ostinato_translate.output import ALTERNATIVES, SCORES, TRANSLATIONS
    from ostinato_translate.predicting import alternatives_of_inputs, answers, score_inputs, translate_inputs
    from ostinato_translate.translator import Translator

    translator = Translator.load(model, server=server)
    languages = [translator.target_language(language) for language in dict.fromkeys(to.split(","))]
    if interactive:
        from ostinato_translate.interactive import Conversation, converse

        converse(Conversation(translator, languages, decoding, prefix), print)
        return 0
    faults = Faults(app.name[0])
    results: Iterable[tuple[TextInput, Mapping[str, Any] | InputError]]
    if score:
        write, results = SCORES[format], score_inputs(translator, inputs, languages)
    elif alternatives:
        write = ALTERNATIVES[format]
        results = alternatives_of_inputs(translator, inputs, languages, prefix, alternatives)
    else:
        write, results = TRANSLATIONS[format], translate_inputs(translator, inputs, languages, decoding, prefix)
        results = _noting_long_texts(results)
    is_line_by_line = format == "text" and len(languages) == decoding.num_translations == 1 and not alternatives
    alignments = AlignmentFolder(explain) if explain else None
    if alignments:
        results = alignments.saving(results)
    with progress_bar("Translating") as show:
        lines = answers(results, write, on_error=faults.report, keeps_lines=is_line_by_line)
        for number, line in enumerate(lines, start=1):
            print(line, flush=True)
            show(number)
    if alignments:
        say(app, f"pictures of what each piece looked at, in {explain}: {alignments.saved}")
    return faults.exit_code


def _check_what_is_asked(
    texts: Sequence[str],
    files: Sequence[Path] | None,
    *,
    score: bool,
    alternatives: int,
    interactive: bool,
    explain: Any,
) -> None:
    if score + (alternatives != 0) + interactive > 1:
        raise UserError("--score, --alternatives and --interactive exclude each other; give one of them")
    if not 0 <= alternatives <= 100:
        raise UserError(f"--alternatives {alternatives} is not within 1 and 100")
    if explain and (score or alternatives or interactive):
        raise UserError("--explain draws translations; leave out --score, --alternatives and --interactive")
    if interactive and (texts or files):
        raise UserError("--interactive reads what is typed; leave out texts and --file")
    if not (interactive or texts or files):
        raise UserError(
            "there is nothing to translate; give a text, --file FILE, - for standard input or --interactive"
        )


def _noting_long_texts(
    results: Iterable[tuple[TextInput, Mapping[str, Any] | InputError]],
) -> Iterator[tuple[TextInput, Mapping[str, Any] | InputError]]:
    for item, found in results:
        if not isinstance(found, InputError):
            num_sentences = max(translations[0].num_sentences for translations in found.values())
            if num_sentences > 1:
                say(app, f"{item.name} is long: its {num_sentences} sentences were translated one by one")
        yield item, found


@app.command(config=[refuse_fractions, ModelDefaults("--model", DEFAULT_MODEL, unless="--run")])
def evaluate(
    *,
    text: Annotated[ScoredText, FLAT] = ScoredText(),
    model: str = DEFAULT_MODEL,
    run: Path | None = None,
    compare: tuple[str, str] | None = None,
    decoding: Annotated[DecodingConfig, FLAT] = DecodingConfig(),
    lowercase: Annotated[bool, FLAG] = False,
    tokenize: Tokenisation = "13a",
    output: Path | None = None,
    translations: Path | None = None,
    format: Format = "text",
) -> int:
    """Score what a model writes against translations by people: BLEU, chrF and TER of sacreBLEU.

    Args:
      model: exported folder, with or without its version, or the name of a shipped model.
      run: completed run directory, to score what has not been exported yet.
      compare: two models, or files of translations, one a line: which is better, by paired bootstrap.
      lowercase: upper and lower case are the same.
      tokenize: how BLEU finds words; `none` for texts whose words have spaces between.
      output: file for each translation, its chrF and the reference, worst first, as JSON lines.
      translations: file for the translations alone, one a line.
      format: text for people, or one JSON object on one line.
    """
    decoding.check_search()
    text.check()
    if compare and (run or model != DEFAULT_MODEL or output or translations):
        raise UserError("--compare names its two systems itself; leave out --model, --run, --output and --translations")
    if compare and not text.direction:
        raise UserError("--compare looks at one direction; name it by --from and --to")
    pairs = text.read([]) if text.direction else None  # before anything slow is done
    quiet_tensorflow(runs_exported=run is None)
    from ostinato_translate import evaluate as scoring
    from ostinato_translate.translator import Translator

    faults = Faults(app.name[0])

    def write(translator: Translator, pairs: SentencePairs) -> list[str]:
        with progress_bar(f"Translating {pairs.name}", len(pairs.sources)) as show:
            return scoring.translate_pairs(
                translator, pairs, decoding, on_error=faults.report, on_sentence=counter(show)
            )

    def write_or_read(name: str, pairs: SentencePairs) -> list[str]:
        path = Path(name)
        return scoring.read_translations(path, pairs) if path.is_file() else write(Translator.load(name), pairs)

    metric: dict[str, Any] = {"lowercase": lowercase, "tokenisation": tokenize}
    if compare and pairs:
        comparison = scoring.compare(pairs[0], *(write_or_read(name, pairs[0]) for name in compare), **metric)
        record = {"a": compare[0], "b": compare[1], **comparison}
        print(json.dumps(record, ensure_ascii=False) if format == "json" else scoring.comparison_as_text(record))
        return faults.exit_code
    translator = _translator(model, run)
    pairs = pairs or text.read(translator.directions)
    written = [write(translator, one) for one in pairs]
    result = scoring.evaluate(pairs, written, **metric)
    if output is not None:
        worst_first = sorted(result.translations, key=lambda record: record["chrf"])
        write_atomically(output, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in worst_first))
    if translations is not None:
        write_atomically(translations, "".join(f"{line}\n" for lines in written for line in lines))
    scores = {**result.scores, "decoding": dataclasses.asdict(decoding)}
    print(json.dumps(scores) if format == "json" else as_table(scoring.scores_as_figures(scores)))
    return faults.exit_code


@app.command
def bench(
    *,
    source: Path | None = None,
    to: str | None = None,
    model: str = DEFAULT_MODEL,
    run: Path | None = None,
    config: Path | None = None,
    beam_width: int = 5,
    repeats: int = 20,
    format: Format = "text",
) -> None:
    """Time translation text to text, and training where a run directory is given.

    Args:
      source: file of sentences to translate, one a line, plain or .gz.
      to: language to translate them into.
      model: exported folder, with or without its version, or the name of a shipped model.
      run: prepared run directory, to time training on it; nothing is written there.
      config: TOML file of training settings; those in the run directory if not given, or the defaults.
      beam_width: of the search.
      repeats: so many sentences are translated alone, and so many updates of training are timed.
      format: text for people, or one JSON object on one line.
    """
    if min(beam_width, repeats) < 1:
        raise UserError("--beam-width and --repeats must be 1 or more")
    if (source is None) != (to is None) or (source is None and run is None):
        raise UserError("give --source and --to to time translation, --run to time training, or all three")
    directory = open_run(run) if run else None
    settings = _train_config(directory, config) if directory else None
    sentences = [line for line in read_lines(source) if line.strip()] if source else []
    if source and not sentences:
        raise UserError(f"{source} is empty; give sentences to translate")
    quiet_tensorflow(runs_exported=directory is None)
    from ostinato_translate.bench import bench_training, bench_translation
    from ostinato_translate.translator import Translator

    figures: dict[str, Any] = {}
    if to:
        translator = Translator.load(model)
        result = bench_translation(translator, sentences, to, beam_width=beam_width, repeats=repeats)
        figures |= result.to_dict()
    if directory and settings:
        figures |= bench_training(directory, settings, repeats=repeats)
    print(json.dumps(figures) if format == "json" else as_table(figures))


def _train_config(run: Run, path: Path | None) -> TrainConfig:
    from ostinato.config import read_config

    if path is None and not run.config_path.exists():
        return TrainConfig()
    return read_config(path or run.config_path, TrainConfig)


def _translator(model: str, run: Path | None) -> Translator:
    from ostinato_translate.translator import Translator

    if run is None:
        return Translator.load(model)
    from ostinato_translate.exporting import translator_of_run

    return translator_of_run(open_run(run))
