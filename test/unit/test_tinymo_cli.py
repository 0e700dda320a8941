"""The command line of tinymo: what it accepts, what it writes, and what it says when something is wrong."""

import json
import subprocess
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path

import lit_in_process
import pytest
from flatbuffer_models import small_model
from lit_in_process import Outcome

from tinymo_xdsl import zoo
from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.flatbuffer.offline_plan import UNPLANNED, planned_offsets, with_plan
from tinymo_xdsl.flatbuffer.reader import read_file
from tinymo_xdsl.flatbuffer.writer import write_file
from tinymo_xdsl.report import build
from tinymo_xdsl.tools.tinymo_arguments import expand_json, percent, size
from tinymo_xdsl.verification import engines
from tinymo_xdsl.verification.engines import TFLITE_MICRO

needs_tflite_micro = pytest.mark.skipif(
    not engines.is_installed(TFLITE_MICRO), reason="tflite-micro is not installed: it exists for Linux on x86-64"
)


def tinymo(*arguments: str | Path) -> Outcome:
    return lit_in_process.run_command(["tinymo", *map(str, arguments)])


def error_of(outcome: Outcome, status: int = 1) -> str:
    """The one line that a failed command says; it prints nothing else."""
    assert outcome.status == status
    assert outcome.stdout == b""
    (line,) = outcome.stderr.decode().splitlines()
    return line


def planned(model: Model, step: int) -> Model:
    """`model` with a plan that puts each tensor in memory `step` bytes above the one before."""
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    places = count(0, step)
    return with_plan(model, [UNPLANNED if tensor.data is not None else next(places) for tensor in tensors])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model that can be made smaller, one that cannot, and what is no model."""
    folder = tmp_path_factory.mktemp("models")
    write_file(zoo.build("lenet5"), folder / "shrinks.tflite")
    write_file(zoo.build("ds-cnn"), folder / "stays.tflite")
    write_file(small_model(), folder / "small.tflite")
    data = (folder / "small.tflite").read_bytes()
    (folder / "truncated.tflite").write_bytes(data[: len(data) // 2])
    (folder / "empty.tflite").write_bytes(b"")
    (folder / "text.tflite").write_text("not a model at all\n")
    (folder / "folder.tflite").mkdir()
    (folder / "module.mlir").write_text("func.func @main() { return }\n")
    return folder


@pytest.fixture(autouse=True)
def in_scratch_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "is_installed", lambda engine: False)


class TestBadInput:
    @pytest.mark.parametrize("command", ["analyze", "optimize", "ops"])
    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("missing.tflite", "missing.tflite: cannot read the file: No such file or directory"),
            ("folder.tflite", "folder.tflite: cannot read the file: Is a directory"),
            ("empty.tflite", "empty.tflite: the file is empty; give a .tflite file"),
            ("text.tflite", "text.tflite: the file is not a TFLite model"),
            ("truncated.tflite", "the file is truncated or damaged"),
            ("module.mlir", "this is MLIR text, not a .tflite file; try: tinymo-translate --mlir-to-tflite"),
        ],
    )
    def test_what_is_no_model_is_one_line_and_writes_nothing(
        self, models: Path, tmp_path: Path, command: str, name: str, message: str
    ):
        assert message in error_of(tinymo(command, models / name))
        assert list(tmp_path.iterdir()) == []

    def test_both_models_of_a_comparison_are_checked(self, models: Path):
        sound, broken = models / "small.tflite", models / "truncated.tflite"
        assert "truncated.tflite" in error_of(tinymo("verify", sound, broken))
        assert "truncated.tflite" in error_of(tinymo("verify", broken, sound))

    def test_debug_shows_where_an_error_was_raised(self):
        assert b"Traceback" in tinymo("analyze", "missing.tflite", "--debug").stderr

    def test_an_interrupt_ends_in_silence_and_leaves_nothing(
        self, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        def interrupt(*arguments: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(build, "peak_of", interrupt)
        outcome = tinymo("analyze", models / "small.tflite", "--json", "report.json")
        assert (outcome.status, outcome.stdout, outcome.stderr) == (130, b"", b"")
        assert list(tmp_path.iterdir()) == []


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ("analyse m.tflite", "there is no command 'analyse'; did you mean 'analyze'?"),
            ("frobnicate", "there is no command 'frobnicate'; tinymo --help lists them"),
            ("m.tflite", "there is no command 'm.tflite'; did you mean 'tinymo analyze m.tflite'?"),
            ("analyze m.tflite --jsno", "unknown option '--jsno'; did you mean '--json'?"),
            ("--verbos", "unknown option '--verbos'; did you mean '--verbose'?"),
            ("analyze", "the following arguments are required: MODEL"),
            ("verify a.tflite", "the following arguments are required: B"),
            ("verify a.tflite b.tflite --engine tflm", "invalid choice: 'tflm'"),
            ("optimize m.tflite --ram 64Q", "'64Q' is no size; write 65536, 64K, 64KiB, 1M or 0x10000"),
            ("optimize m.tflite --max-overhead ten", "'ten' is no percentage"),
            ("optimize m.tflite --runs 0", "'0' is no number from 1 on"),
            ("optimize m.tflite -o -", "name a file with -o"),
            ("zoo", "name a network first: mobilenet-v2"),
            ("zoo mobilenet", "the zoo has no 'mobilenet'; did you mean 'mobilenet-v2'?"),
            ("zoo resnet8", "the following arguments are required: -o/--output"),
            ("zoo resnet8 -o r.tflite --widht 3", "unknown option '--widht'"),
            ("zoo resnet8 -o r.tflite --classes 0", "parameter 'classes' is 0"),
        ],
    )
    def test_a_wrong_command_line_is_one_line(self, arguments: str, message: str):
        assert message in error_of(tinymo(*arguments.split()))

    def test_without_a_command_the_commands_are_listed(self):
        outcome = tinymo()
        assert (outcome.status, outcome.stdout) == (1, b"")
        for command in ("analyze", "optimize", "verify", "ops", "supported-ops", "zoo"):
            assert f"\n  {command} " in outcome.stderr.decode()
            assert f"usage: tinymo {command}" in tinymo(command, "--help").stdout.decode()

    def test_options_may_stand_before_the_command(self, models: Path):
        assert tinymo("--quiet", "ops", models / "small.tflite").status == 0
        assert tinymo("-v", "--version").stdout == tinymo("--version").stdout

    def test_versions_are_shown_without_heavy_imports(self):
        code = (
            "import sys; from tinymo_xdsl.tools.tinymo import main\n"
            "main(['--version'])\n"
            "print(sorted({'numpy', 'xdsl', 'flatbuffers', 'tflite'} & set(sys.modules)))"
        )
        process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        tool, xdsl, schema, imported = process.stdout.splitlines()
        assert (tool[:7], xdsl[:5], schema[:15]) == ("tinymo ", "xDSL ", "TFLite schema 3")
        assert imported == "[]"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("65536", 65536),
        ("64K", 65536),
        ("64k", 65536),
        ("64KiB", 65536),
        ("64 KB", 65536),
        ("1M", 1 << 20),
        ("1.5MiB", 3 << 19),
        ("0x10000", 65536),
        ("0XFF", 255),
        ("512B", 512),
    ],
)
def test_sizes(text: str, value: int):
    assert size(text) == value


def test_percentages_are_shares():
    assert (percent("10"), percent("12.5%"), percent("0")) == (0.1, 0.125, 0)


def test_a_model_behind_json_is_the_model():
    assert expand_json(["--json", "m.tflite"]) == ["--json=-", "m.tflite"]
    assert expand_json(["m.tflite", "--json", "r.json"]) == ["m.tflite", "--json", "r.json"]
    assert expand_json(["m.tflite", "--json"]) == ["m.tflite", "--json"]
    assert expand_json([]) == []


class TestAnalyze:
    def test_json_on_standard_output_is_alone_there(self, models: Path, no_engine: None):
        path = models / "small.tflite"
        for words in (["--json", path], [path, "--json"]):
            outcome = tinymo("analyze", *words)
            assert outcome.stderr == b""
            report = json.loads(outcome.stdout)
            assert (report["schema"], report["model"]["file"]) == ("tinymo-report/1", str(path))

    def test_json_in_a_file_leaves_the_text_on_standard_output(self, models: Path, no_engine: None):
        outcome = tinymo("analyze", models / "small.tflite", "--json", "report.json")
        assert b"arena of TFLite Micro" in outcome.stdout
        assert json.loads(Path("report.json").read_text())["before"]["live_peak"] > 0

    def test_a_report_never_replaces_the_model(self, models: Path):
        before = (models / "small.tflite").read_bytes()
        message = error_of(tinymo("analyze", models / "small.tflite", f"--json={models / 'small.tflite'}"))
        assert message.endswith("this would overwrite the input; name another file")
        assert (models / "small.tflite").read_bytes() == before

    def test_all_operators_are_shown_on_request(self, tmp_path: Path, no_engine: None):
        assert tinymo("zoo", "mobilenet-v2", "--resolution", "32", "--classes", "10", "-o", "many.tflite").status == 0
        shown = tinymo("analyze", "many.tflite").stdout.decode()
        everything = tinymo("analyze", "many.tflite", "--all").stdout.decode()
        assert " more\n" in shown
        assert " more\n" not in everything
        assert everything.count("\n") > shown.count("\n") + 20

    def test_a_plan_in_the_file_stays_and_is_no_remark(self, tmp_path: Path, no_engine: None):
        write_file(planned(zoo.build("lenet5"), 16), tmp_path / "planned.tflite")
        outcome = tinymo("analyze", "planned.tflite", "--json")
        assert outcome.stderr == b""
        offsets = [buffer["offset"] for buffer in json.loads(outcome.stdout)["before"]["buffers"]]
        assert offsets == [16 * index for index in range(len(offsets))]

    def test_the_page_is_written_beside_the_text(self, models: Path, no_engine: None):
        outcome = tinymo("analyze", models / "small.tflite", "--html", "page.html")
        assert (outcome.status, outcome.stderr) == (0, b"")
        assert b"arena of TFLite Micro" in outcome.stdout
        assert Path("page.html").read_text("utf-8").startswith("<!DOCTYPE html>")

    @pytest.mark.parametrize(
        ("words", "error"),
        [
            ("--html small.tflite", "small.tflite: this would overwrite the input; name another file"),
            ("--html link.html", "link.html: this would overwrite the input; name another file"),
            ("--html r --json ./r", "r: this would overwrite the other report; name another file"),
            ("--html -", "the page needs a file: name one behind --html"),
            ("--html nowhere/r.html", "nowhere/r.html: cannot write the file: there is no folder 'nowhere'"),
            ("--html folder", "folder: cannot write the file: Is a directory"),
            ("--html /proc/r.html", "/proc/r.html: cannot write the file: No such file or directory"),
        ],
    )
    def test_a_page_that_cannot_be_written_is_one_line(
        self, models: Path, tmp_path: Path, no_engine: None, words: str, error: str
    ):
        data = (models / "small.tflite").read_bytes()
        (tmp_path / "small.tflite").write_bytes(data)
        (tmp_path / "link.html").symlink_to("small.tflite")
        (tmp_path / "folder").mkdir()
        assert error_of(tinymo("analyze", "small.tflite", *words.split())) == f"tinymo: error: {error}"
        assert (tmp_path / "small.tflite").read_bytes() == data
        assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "link.html", "small.tflite"]


class TestOptimize:
    def test_the_output_is_named_after_the_model(self, models: Path, tmp_path: Path):
        outcome = tinymo("optimize", models / "shrinks.tflite", "--no-verify")
        assert (outcome.status, outcome.stderr) == (0, b"")
        assert b"-> shrinks.opt.tflite" in outcome.stdout
        assert [path.name for path in tmp_path.iterdir()] == ["shrinks.opt.tflite"]
        read_file("shrinks.opt.tflite")

    @needs_tflite_micro
    def test_original_and_result_are_compared(self, models: Path):
        outcome = tinymo("optimize", models / "shrinks.tflite", "-o", "o.tflite", "--runs", "2", "--json", "r.json")
        assert outcome.status == 0
        assert b"outputs identical, bit for bit" in outcome.stdout
        assert json.loads(Path("r.json").read_text())["verify"]["runs"] == 2
        outcome = tinymo("verify", models / "shrinks.tflite", "o.tflite", "--runs", "1", "--seed", "7")
        assert (outcome.status, outcome.stderr) == (0, b"")
        assert b"1 runs" in outcome.stdout

    def test_json_on_standard_output_is_alone_there(self, models: Path):
        outcome = tinymo("optimize", "--no-verify", "-o", "o.tflite", "--json", models / "shrinks.tflite")
        report = json.loads(outcome.stdout)
        assert report["after"]["live_peak_copies"] < report["before"]["live_peak"]
        assert (
            Path("o.tflite").stat().st_size
            == (models / "shrinks.tflite").stat().st_size + (report["cost"]["extra_flash"])
        )

    def test_a_quiet_run_prints_nothing_and_a_verbose_one_its_steps(self, models: Path):
        outcome = tinymo("optimize", models / "shrinks.tflite", "--no-verify", "-q")
        assert (outcome.status, outcome.stdout, outcome.stderr) == (0, b"", b"")
        outcome = tinymo("optimize", models / "shrinks.tflite", "--no-verify", "-v")
        assert b"tinymo: optimizing " in outcome.stderr

    def test_the_file_holds_a_plan_unless_none_is_wanted(self, models: Path):
        for words, has_plan in (((), True), (("--tflm-kernels", "unknown"), True), (("--no-plan",), False)):
            outcome = tinymo("optimize", models / "shrinks.tflite", "--no-verify", "-o", "o.tflite", *words)
            assert outcome.status == 0
            assert (planned_offsets(read_file("o.tflite")) is not None) == has_plan, words
            assert (b"+ plan-memory " in outcome.stdout) == has_plan

    def test_what_cannot_be_improved_is_written_as_it_is(self, models: Path):
        outcome = tinymo("optimize", models / "stays.tflite", "--no-verify", "-o", "o.tflite")
        assert outcome.status == 0
        assert b"the original, byte for byte" in outcome.stdout
        assert Path("o.tflite").read_bytes() == (models / "stays.tflite").read_bytes()

    def test_a_budget_that_is_not_met_writes_nothing(self, models: Path, tmp_path: Path):
        outcome = tinymo("optimize", models / "shrinks.tflite", "--ram", "100", "--no-verify", "--json", "r.json")
        assert (
            "shrinks.tflite: the arena of TFLite Micro on a 32-bit target does not come down to 100 bytes"
            in error_of(outcome, status=3)
        )
        assert list(tmp_path.iterdir()) == []

    def test_a_budget_that_is_met_is_kept(self, models: Path):
        report = json.loads(
            tinymo(
                "optimize", models / "shrinks.tflite", "--ram", "0x1400", "--no-plan", "--no-verify", "--json"
            ).stdout
        )
        assert report["after"]["live_peak_copies"] <= 0x1400 < report["before"]["live_peak"]

    def test_no_extra_work_is_done_if_none_is_allowed(self, models: Path):
        words = ["optimize", models / "shrinks.tflite", "--max-overhead", "0%", "--no-verify", "--json"]
        assert json.loads(tinymo(*words).stdout)["cost"]["extra_macs"] == 0

    def test_the_model_itself_is_only_overwritten_by_force(self, models: Path, tmp_path: Path):
        path = tmp_path / "model.tflite"
        before = (models / "shrinks.tflite").read_bytes()
        path.write_bytes(before)
        (tmp_path / "link.tflite").symlink_to(path)
        for output in ("model.tflite", "link.tflite"):
            message = error_of(tinymo("optimize", path, "-o", output, "--no-verify"))
            assert message.endswith("this would overwrite the input; name another file with -o, or add --force")
        assert path.read_bytes() == before
        assert tinymo("optimize", path, "-o", "model.tflite", "--no-verify", "--force").status == 0
        assert path.read_bytes() != before

    @pytest.mark.parametrize("output", ["nowhere/o.tflite", "folder", "/proc/o.tflite"])
    def test_an_output_that_cannot_be_written_is_one_line(self, models: Path, tmp_path: Path, output: str):
        (tmp_path / "folder").mkdir()
        message = error_of(tinymo("optimize", models / "shrinks.tflite", "-o", output, "--no-verify"))
        assert f"{output}: cannot write the file" in message
        assert [path.name for path in tmp_path.iterdir()] == ["folder"]

    def test_a_missing_folder_is_found_out_before_all_work(self):
        message = error_of(tinymo("optimize", "missing.tflite", "-o", "nowhere/o.tflite"))
        assert message.startswith("tinymo: error: nowhere/o.tflite: cannot write the file")

    def test_model_and_report_are_two_files(self, models: Path):
        message = error_of(tinymo("optimize", models / "shrinks.tflite", "-o", "x", "--json", "./x"))
        assert message.endswith("x: this would overwrite the model that is written; name another file")

    def test_a_dropped_plan_is_said_unless_it_is_to_be_quiet(self, tmp_path: Path):
        write_file(planned(zoo.build("lenet5"), 16_384), tmp_path / "planned.tflite")
        words = ["optimize", "planned.tflite", "-o", "o.tflite", "--no-verify"]
        assert tinymo(*words).stderr.startswith(b"tinymo: the arena plan in planned.tflite is dropped")
        assert tinymo(*words, "-q").stderr == b""
        # What is written as it is keeps its plan.
        write_file(read_file("o.tflite"), tmp_path / "again.tflite")
        assert tinymo("optimize", "again.tflite", "-o", "o.tflite", "--no-verify").stderr == b""

    def test_the_page_shows_before_and_after(self, models: Path):
        words = ["optimize", models / "shrinks.tflite", "-o", "o.tflite", "--no-verify", "--html", "page.html"]
        assert tinymo(*words).status == 0
        page = Path("page.html").read_text("utf-8")
        assert page.count('class="memory"') == 2
        tinymo(*words)
        assert Path("page.html").read_text("utf-8") == page


class TestVerify:
    @needs_tflite_micro
    def test_the_first_difference_is_named(self, models: Path, tmp_path: Path):
        model = small_model()
        graph = model.subgraphs[0]
        biases = replace(graph.tensors[2], data=bytes(12))
        write_file(
            replace(model, subgraphs=(replace(graph, tensors=(*graph.tensors[:2], biases, *graph.tensors[3:])),)),
            tmp_path / "other.tflite",
        )
        outcome = tinymo("verify", models / "small.tflite", "other.tflite", "--runs", "1")
        assert (outcome.status, outcome.stderr) == (4, b"")
        assert outcome.stdout.startswith(b"outputs differ: 'features' [0, 0, 1, 2] is ")

    def test_models_of_other_inputs_cannot_be_compared(self, models: Path):
        message = error_of(tinymo("verify", models / "small.tflite", models / "stays.tflite"))
        assert message.endswith("they cannot be compared")

    @pytest.mark.usefixtures("no_engine")
    def test_a_missing_engine_has_a_status_of_its_own(self, models: Path):
        message = error_of(tinymo("verify", models / "small.tflite", models / "small.tflite"), status=2)
        assert "pip install 'tinymo-xdsl[verify]'" in message


class TestOperators:
    def test_operators_of_a_model(self, models: Path):
        lines = tinymo("ops", models / "small.tflite").stdout.decode().splitlines()
        assert ["CONV_2D", "1", "3", "INT8"] in [line.split() for line in lines]
        assert "tflite::MicroMutableOpResolver<6> resolver;" in lines
        assert "  resolver.AddConv2D();" in lines

    def test_supported_operators(self):
        rows = [line.split() for line in tinymo("supported-ops").stdout.decode().splitlines()]
        assert ["CONV_2D", "yes", "yes", "yes"] in rows
        assert ["SOFTMAX", "yes", "-", "yes"] in rows
        everything = [line.split() for line in tinymo("supported-ops", "--all").stdout.decode().splitlines()]
        assert ["BITCAST", "yes", "-", "-"] in everything
        assert ["BITCAST", "yes", "-", "-"] not in rows


class TestZoo:
    def test_networks_are_listed_with_their_parameters(self):
        text = tinymo("zoo", "--list").stdout.decode()
        for name, network in zoo.ARCHITECTURES.items():
            assert f"{name}: {network.summary}\n" in text
        assert "  --resolution N  rows and columns of the input image (default: 96)" in text

    def test_a_network_is_written_with_its_parameters(self):
        assert tinymo("zoo", "lenet5", "--classes", "7", "--seed", "3", "-o", "l.tflite").status == 0
        graph = read_file("l.tflite").subgraphs[0]
        assert graph.tensors[graph.outputs[0]].shape == (1, 7)
        assert "classes 7, seed 3" in (read_file("l.tflite").description or "")
