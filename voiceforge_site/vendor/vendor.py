"""Fetch the browser files we do not write ourselves, at the versions that package-lock.json pins.

Run by hand when a version in package.json changes: `python voiceforge_site/vendor/vendor.py`. It is
the only use of Node in the project. Files land under static/vendor (the browser's) and tests/vendor
(the tests'), each listed with its checksum in VENDOR.toml there.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SITE = ROOT / "static" / "vendor"
TESTS = ROOT / "tests" / "vendor"


@dataclass(frozen=True)
class File:
    package: str
    source: str  # inside the package
    path: str  # inside the target folder
    target: Path = SITE


FILES = (
    File("@fontsource-variable/geist", "files/geist-latin-wght-normal.woff2", "fonts/geist-latin.woff2"),
    File(
        "@fontsource-variable/geist", "files/geist-latin-ext-wght-normal.woff2", "fonts/geist-latin-ext.woff2"
    ),
    File(
        "@fontsource-variable/geist-mono",
        "files/geist-mono-latin-wght-normal.woff2",
        "fonts/geist-mono-latin.woff2",
    ),
    File("@xyflow/react", "dist/style.css", "flow/style.css"),
    File("wavesurfer.js", "dist/wavesurfer.esm.js", "wavesurfer.esm.js"),
    File("axe-core", "axe.min.js", "axe.min.js", TESTS),
    File("@asyncapi/specs", "schemas/3.0.0-without-$id.json", "asyncapi-3.0.0.json", TESTS),
)
# One module of the editor's libraries, which publish none that a browser can load; flow.js says what of them.
BUNDLE = "flow/flow.mjs"
BUNDLED = ("@xyflow/react", "react", "react-dom", "@dagrejs/dagre", "htm")
ESBUILD = (
    "--bundle",
    "--minify",
    "--format=esm",
    "--target=es2022",
    '--define:process.env.NODE_ENV="production"',
    "--legal-comments=linked",
)
SOURCE_MAP = re.compile(rb"\n?//[#@] sourceMappingURL=\S+\s*$")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json", "flow.js"):
            shutil.copy(HERE / name, folder)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True)
        for target in (SITE, TESTS):
            shutil.rmtree(target, ignore_errors=True)
            files = [file for file in FILES if file.target == target]
            entries = [_take(file, Path(folder) / "node_modules") for file in files]
            if target == SITE:
                entries += _bundle(Path(folder))
            (target / "VENDOR.toml").write_text(_toml(entries))


def _take(file: File, modules: Path) -> dict[str, str]:
    """Copy one file and its package's licence; the entry for VENDOR.toml."""
    package = modules / file.package
    published = (package / file.source).read_bytes()
    kept = SOURCE_MAP.sub(b"\n", published) if file.path.endswith(".js") else published
    destination = file.target / file.path
    destination.parent.mkdir(parents=True, exist_ok=True)
    destination.write_bytes(kept)

    entry = _entry(file.path, package, file.target)
    if kept != published:
        entry["source_sha256"] = hashlib.sha256(published).hexdigest()
    return entry


def _bundle(folder: Path) -> list[dict[str, str]]:
    """Build the editor's module; an entry for each package in it, and one for the notices of all."""
    built = SITE / BUNDLE
    esbuild = folder / "node_modules" / ".bin" / "esbuild"
    subprocess.run([esbuild, "flow.js", *ESBUILD, f"--outfile={built}"], cwd=folder, check=True)
    modules = folder / "node_modules"
    entries = [_entry(BUNDLE, modules / name, SITE) for name in BUNDLED]
    return [*entries, _entry(f"{BUNDLE}.LEGAL.txt", modules / BUNDLED[0], SITE)]


def _entry(path: str, package: Path, target: Path) -> dict[str, str]:
    """For VENDOR.toml; copies the package's licence."""
    manifest = json.loads((package / "package.json").read_text())
    name = manifest["name"]
    licence = f"licences/{name.replace('@', '').replace('/', '-')}.txt"
    (target / licence).parent.mkdir(exist_ok=True)
    texts = [next(package.glob("LICEN[SC]E*")), *package.glob("NOTICE")]
    (target / licence).write_text("\n".join(text.read_text() for text in texts))
    return {
        "path": path,
        "package": name,
        "version": manifest["version"],
        "licence": manifest["license"],
        "licence_text": licence,
        "sha256": hashlib.sha256((target / path).read_bytes()).hexdigest(),
    }


def _toml(entries: list[dict[str, str]]) -> str:
    tables = ("\n".join(f'{key} = "{value}"' for key, value in entry.items()) for entry in entries)
    return "# Written by voiceforge_site/vendor/vendor.py\n" + "".join(
        f"\n[[file]]\n{table}\n" for table in tables
    )


if __name__ == "__main__":
    main()
