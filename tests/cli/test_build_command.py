"""`siteshift build`: kustomize's options, Git URLs, charts, and what is refused."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"
PRINTED = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\n"

HELM = """\
#!/bin/sh
case "$1" in
version) echo v3.18.6; exit 0;;
pull) mkdir -p "$4/far" && echo 'name: far' > "$4/far/Chart.yaml" && : > "$4/far/values.yaml"
  echo "$*" >> "$HELM_SAW"; exit 0;;
esac
echo "$*" >> "$HELM_SAW"
test -f "$3/Chart.yaml" || { echo "no chart in $3" >&2; exit 1; }
test -d "${HELM_CONFIG_HOME%/*}" || exit 1
printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: %s}\\n' "$2"
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, also for what is kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def write(**files: str) -> None:
    for name, text in files.items():
        path = Path(name.replace("__", "/").replace("_yaml", ".yaml"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_output_goes_to_a_file_or_into_a_folder_that_is_there(place: Path, siteshift: Run) -> None:
    write(kustomization_yaml="resources: [a.yaml]\n", a_yaml=CONFIG % "a")
    assert siteshift("build", "-o", "one.yaml") == (0, "", "")
    assert (place / "one.yaml").read_text() == PRINTED % "a"
    (place / "out").mkdir()
    assert siteshift("build", "-o", "out") == (0, "", "")
    assert {path.name: path.read_text() for path in (place / "out").iterdir()} == {"v1_configmap_a.yaml": PRINTED % "a"}


ROLE = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: 'sys:b'}\n"
NAMES = {
    "one-namespace": (
        [CONFIG % "a, namespace: x", ROLE],
        ["rbac.authorization.k8s.io_v1_clusterrole_sys:b", "v1_configmap_a"],
    ),
    "two": ([CONFIG % "a, namespace: x", CONFIG % "b"], ["default_v1_configmap_b", "x_v1_configmap_a"]),
    "no-group": (["kind: Big\nmetadata: {name: Name}\n"], ["big_name"]),
}


@pytest.mark.parametrize("case", NAMES)
def test_files_in_a_folder_have_kustomizes_names(place: Path, siteshift: Run, case: str) -> None:
    texts, names = NAMES[case]
    write(kustomization_yaml="resources: [a.yaml]\n", a_yaml="---\n".join(texts))
    (place / "out").mkdir()
    assert siteshift("build", "-o", "out")[0] == 0
    assert sorted(path.stem for path in (place / "out").iterdir()) == names


def test_the_managed_by_label_can_be_asked_for(siteshift: Run) -> None:
    write(kustomization_yaml="resources: [a.yaml]\n", a_yaml=CONFIG % "a")
    assert "app.kubernetes.io/managed-by: kustomize-v5.8.1" in siteshift("build", "--enable-managedby-label")[1]


@pytest.mark.parametrize(
    "line",
    [
        ["--enable-alpha-plugins"],
        ["--enable-exec"],
        ["--network"],
        ["--network-name", "host"],
        ["--mount", "type=bind,src=/,dst=/x"],
        ["--as-current-user"],
        ["-e", "A=b"],
        ["--env", "A"],
    ],
    ids=lambda line: line[0],
)
def test_what_would_run_programs_of_the_repository_is_refused_with_the_reason(siteshift: Run, line: list[str]) -> None:
    code, out, err = siteshift("build", *line)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {line[0]}: ")
    assert "never run" in err


@pytest.fixture
def repository(tmp_path: Path) -> str:
    """The URL of a Git repository with a kustomization below `deploy`."""
    folder = tmp_path / "repository"
    (folder / "deploy").mkdir(parents=True)
    (folder / "deploy" / "kustomization.yaml").write_text("resources: [a.yaml]\nnamePrefix: p-\n")
    (folder / "deploy" / "a.yaml").write_text(CONFIG % "a")
    who = ["-c", "user.name=Tester", "-c", "user.email=tester@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "all"], ["tag", "v1"]):
        subprocess.run(["git", *who, *words], cwd=folder, check=True)
    return f"file://{folder}"


@pytest.mark.parametrize("ref", ["", "?ref=v1", "?ref=main"], ids=["none", "tag", "branch"])
def test_a_git_url_is_built_at_its_ref(siteshift: Run, repository: str, ref: str) -> None:
    assert siteshift("build", f"{repository}//deploy{ref}") == (0, PRINTED % "p-a", "")


def test_a_base_may_be_a_git_url(siteshift: Run, repository: str) -> None:
    write(kustomization_yaml=f"resources: ['{repository}//deploy?ref=v1']\nnameSuffix: -s\n")
    assert siteshift("build") == (0, PRINTED % "p-a-s", "")


def test_a_ref_that_is_not_there_is_an_error_at_the_entry(siteshift: Run, repository: str) -> None:
    write(kustomization_yaml=f"resources:\n- {repository}//deploy?ref=v2\n")
    code, _, err = siteshift("build")
    assert code == 1
    assert "kustomization.yaml:2:3: error: " in err
    assert 'has no branch or tag "v2" (main, v1)' in err


@pytest.mark.testbed
def test_the_real_kustomize_prints_the_same_of_a_git_url(
    siteshift: Run, repository: str, kustomize_binary: Path
) -> None:
    write(
        kustomization_yaml=f"resources: ['{repository}//deploy?ref=v1']\nnameSuffix: -s\n"
        "buildMetadata: [originAnnotations, transformerAnnotations]\n"
    )
    real = subprocess.run([kustomize_binary, "build"], capture_output=True, text=True, check=True)
    assert siteshift("build") == (0, real.stdout, "")


@pytest.fixture
def helm(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that notes how it was called and prints one object; the file that it notes in."""
    program, saw = place.parent / "helm", place.parent / "saw"
    program.write_text(HELM.replace("$HELM_SAW", str(saw)))
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    saw.touch()
    monkeypatch.setenv("PATH", f"{place.parent}{os.pathsep}{os.environ['PATH']}")
    return saw


def test_a_chart_in_the_repository_is_inflated(siteshift: Run, helm: Path) -> None:
    write(
        charts__web__Chart_yaml="name: web\n",
        charts__web__values_yaml="",
        kustomization_yaml="helmCharts: [{name: web, releaseName: r}]\n",
    )
    line = ("--helm-api-versions", "a/v1", "--helm-api-versions", "b/v1", "--helm-kube-version", "v1.30")
    assert siteshift("build", "--enable-helm", *line) == (0, PRINTED % "r", "")
    words = helm.read_text().split()
    assert words[:2] == ["template", "r"]
    assert [word for word in words[3:] if not word.startswith("/")] == [
        *("--api-versions", "a/v1", "--api-versions", "b/v1", "--kube-version", "v1.30", "-f")
    ]


@pytest.mark.testbed
@pytest.mark.parametrize(
    "fields",
    ["namespace: top\n", "namePrefix: p-\nnamespace: top\nresources: [own.yaml]\n", "nameSuffix: -s\n"],
    ids=["namespace", "beside-a-resource", "suffix"],
)
def test_the_real_kustomize_prints_the_same_of_a_chart(
    siteshift: Run, helm: Path, kustomize_binary: Path, fields: str
) -> None:
    write(
        charts__web__Chart_yaml="name: web\n",
        charts__web__values_yaml="{}\n",
        own_yaml=CONFIG % "own",
        kustomization_yaml=f"{fields}helmCharts: [{{name: web, releaseName: r, valuesInline: {{a: b}}}}]\n",
    )
    real = subprocess.run([kustomize_binary, "build", "--enable-helm"], capture_output=True, text=True, check=True)
    assert siteshift("build", "--enable-helm") == (0, real.stdout, "")
    assert helm.read_text().count("template r ") == 2


def test_what_a_chart_says_itself_wins_over_the_command_line(siteshift: Run, helm: Path) -> None:
    chart = "{name: web, releaseName: r, kubeVersion: v1.20}"
    write(
        charts__web__Chart_yaml="name: web\n",
        charts__web__values_yaml="",
        kustomization_yaml=f"helmCharts: [{chart}]\n",
    )
    assert siteshift("build", "--enable-helm", "--helm-kube-version", "v1.30")[0] == 0
    assert "--kube-version v1.20" in helm.read_text()
    assert "v1.30" not in helm.read_text()


def test_helm_gets_none_of_our_secrets(siteshift: Run, helm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (helm.parent / "helm").write_text("#!/bin/sh\nenv >&2; exit 1\n")
    for name in ("GIT_TOKEN", "KUBECONFIG", "HELM_KUBETOKEN", "HELM_PLUGINS", "LD_PRELOADED"):
        monkeypatch.setenv(name, "s3cret")
    chart = "helmCharts: [{name: web, releaseName: r}]\n"
    write(charts__web__Chart_yaml="name: web\n", charts__web__values_yaml="", kustomization_yaml=chart)
    code, _, said = siteshift("build", "--enable-helm")
    assert code == 1
    assert "PATH=" in said
    assert "s3cret" not in said
    assert f"HOME={Path.home()}" not in said.splitlines()


def test_a_build_with_a_secret_is_not_kept(siteshift: Run, place: Path) -> None:
    generator = "secretGenerator: [{name: s, literals: [password=hunter2]}]\n"
    write(kustomization_yaml=generator)
    for _ in range(2):
        assert "aHVudGVyMg==" in siteshift("build")[1]
    cache = Path(os.environ["XDG_CACHE_HOME"]) / "siteshift"
    kept = b"".join(path.read_bytes() for path in cache.rglob("*") if path.is_file())
    assert b"hunter2" not in kept
    assert b"aHVudGVyMg==" not in kept


def test_files_of_a_build_stay_in_their_folder(siteshift: Run, place: Path) -> None:
    (place / "out").mkdir()
    names = ("../../escaped", "a/../../../escaped", "..")
    maps = "---\n".join(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: '{name}', namespace: '../{number}'}}\n"
        for number, name in enumerate(names)
    )
    write(c_yaml=maps, kustomization_yaml="resources: [c.yaml]\n")
    before = set(place.parent.rglob("*"))
    assert siteshift("build", "-o", "out")[0] == 0
    made = set(place.parent.rglob("*")) - before
    assert len(made) == len(names)
    assert all(path.parent == place / "out" for path in made), made


def test_an_escape_in_a_name_is_shown_and_not_obeyed(siteshift: Run) -> None:
    write(kustomization_yaml='resources: ["\\e[2Jx.yaml"]\n')
    code, _, said = siteshift("build")
    assert code == 1
    assert "\x1b" not in said
    assert "\\x1b[2Jx.yaml" in said


def test_a_chart_of_a_version_is_pulled_once(siteshift: Run, helm: Path, place: Path) -> None:
    chart = "{name: far, repo: 'https://charts.example', version: 1.0.0, releaseName: r}"
    write(kustomization_yaml=f"helmCharts: [{chart}]\n")
    for _ in range(2):
        assert siteshift("build", "--enable-helm", "--helm-command", "helm") == (0, PRINTED % "r", "")
    pulls = [line for line in helm.read_text().splitlines() if line.startswith("pull ")]
    assert len(pulls) == 1
    assert pulls[0].endswith("--repo https://charts.example far --version 1.0.0")
    assert sorted(path.name for path in place.iterdir()) == ["kustomization.yaml"]


def test_a_missing_helm_is_said_at_the_chart(siteshift: Run) -> None:
    write(
        charts__web__Chart_yaml="name: web\n",
        charts__web__values_yaml="",
        kustomization_yaml="helmCharts:\n- name: web\n",
    )
    code, out, err = siteshift("build", "--enable-helm", "--helm-command", "no-such-helm")
    assert (code, out) == (1, "")
    assert "kustomization.yaml:2:3: error: chart web: " in err
    assert "there is no program no-such-helm" in err


def test_charts_need_leave(siteshift: Run, helm: Path) -> None:
    write(
        charts__web__Chart_yaml="name: web\n",
        charts__web__values_yaml="",
        kustomization_yaml="helmCharts: [{name: web}]\n",
    )
    code, _, err = siteshift("build")
    assert code == 1
    assert "must specify --enable-helm" in err
    assert helm.read_text() == ""


def test_a_field_is_explained_with_paths_that_editors_can_follow(siteshift: Run) -> None:
    write(kustomization_yaml="resources: [a.yaml]\nnamePrefix: p-\n", a_yaml=CONFIG % "a")
    assert siteshift("build", "--explain", "ConfigMap/a.metadata.name") == (
        0,
        "ConfigMap/p-a.metadata.name is p-a\n"
        "  a.yaml:3:12: written: a\n"
        "  kustomization.yaml:2:1: namePrefix (PrefixTransformer): a > p-a\n",
        "",
    )
    code, out, err = siteshift("build", "--explain", "Secret/a")
    assert (code, out) == (2, "")
    assert "there is no such object" in err


@pytest.mark.parametrize(
    ("here", "written", "shown"),
    [("work", ".", "odd.yaml"), ("", "{name}", "{name}/odd.yaml"), ("cache", "../{name}", "{place}/odd.yaml")],
    ids=["in the folder", "above it", "elsewhere"],
)
def test_errors_name_files_as_the_shell_would(
    siteshift: Run, place: Path, monkeypatch: pytest.MonkeyPatch, here: str, written: str, shown: str
) -> None:
    (place / "kustomization.yaml").write_text("resources: [odd.yaml, twice.yaml]\n")
    (place / "odd.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    (place / "twice.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    (place.parent / "cache").mkdir(exist_ok=True)
    monkeypatch.chdir(place.parent / here)
    code, _, error = siteshift("build", written.format(name=place.name))
    assert code == 1
    assert error.endswith(f"hint: the other one comes from {shown.format(name=place.name, place=place)}\n")
