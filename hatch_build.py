"""Builds the compiled variant of the hot loops, where a compiler is: the same sources, translated by Cython.

As a hook of hatchling it puts the result into the wheel; ``python hatch_build.py`` builds it in the checkout. DISPATCHER_COMPILED
says what is wanted: ``auto`` (the default) builds it if it can, ``1`` insists, ``0`` never does. Without it everything works as
well, from the very same files, only slower.
"""

import hashlib
import importlib.util
import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parent
MODULES = {
    "rules": ("series", "intake", "measure", "rest", "ladder", "running", "watch"),
    "dispatcher/intake": ("scan",),
}
"""What is compiled, by its package."""
FOLDER = "_compiled"
SOURCES = "SOURCES"
WISHES = ("auto", "0", "1")


class CannotCompile(Exception):
    """Says what is missing."""


def wish() -> str:
    """What the environment asks for."""
    found = os.environ.get("DISPATCHER_COMPILED", "auto")
    if found not in WISHES:
        raise SystemExit(f"DISPATCHER_COMPILED={found}: allowed are {', '.join(WISHES)}")
    return found


def build(root: Path = ROOT) -> list[Path]:
    """Build all of it beside its sources, if it is not there; gives the files. CannotCompile says what is missing."""
    if all(_variant(root).fits(root / package, root / package / FOLDER) for package in MODULES):
        return [file for package in MODULES for file in sorted((root / package / FOLDER).iterdir())]
    for tool in ("Cython", "setuptools"):
        if importlib.util.find_spec(tool) is None:
            raise CannotCompile(f"{tool} is not installed")
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    if os.name == "posix" and shutil.which(compiler) is None:
        raise CannotCompile(f"there is no C compiler {compiler!r} on the path")
    if os.name == "posix" and not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        raise CannotCompile("the headers of Python (Python.h) are not installed")
    with tempfile.TemporaryDirectory() as made:
        _compile(root, Path(made))
        return [file for package in MODULES for file in _place(root, Path(made), package)]


def _variant(root: Path) -> ModuleType:
    """The module that judges at run time whether compiled files may be used: it judges here, too."""
    spec = importlib.util.spec_from_file_location("variant", root / "rules" / "variant.py")
    if spec is None or spec.loader is None:
        raise CannotCompile("rules/variant.py is not there")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _compile(root: Path, into: Path) -> None:
    from Cython.Build import cythonize  # noqa: PLC0415 - not everybody who builds has it
    from setuptools import Distribution, Extension  # noqa: PLC0415 - the same

    flags = ["-O2", "-g0"] if os.name == "posix" else []
    extensions = [
        Extension(f"{package.replace('/', '.')}.{name}", [str(_source(root / package / name))], extra_compile_args=flags)
        for package, names in MODULES.items()
        for name in names
    ]
    # Types come from the .pxd files alone: an annotation in a .py file promises what Python promises, and no machine word.
    directives = {"annotation_typing": False, "language_level": "3"}
    before = Path.cwd()
    os.chdir(root)
    try:
        found = cythonize(extensions, build_dir=str(into / "c"), compiler_directives=directives, include_path=[str(root)], quiet=True)
        command = Distribution({"ext_modules": found}).get_command_obj("build_ext")
        command.build_lib, command.build_temp = str(into / "lib"), str(into / "temp")
        command.ensure_finalized()
        command.run()
    except Exception as error:  # a compiler has its own kinds of failure, and each means the same here
        raise CannotCompile(f"{type(error).__name__}: {error}") from error
    finally:
        os.chdir(before)


def _source(module: Path) -> Path:
    """What is compiled: the module itself, or where no module could say it, one in Cython's own language beside it."""
    own = module.with_suffix(".pyx")
    return own if own.exists() else module.with_suffix(".py")


def _place(root: Path, made: Path, package: str) -> list[Path]:
    folder = root / package / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    files = [Path(shutil.copy(file, folder)) for file in sorted((made / "lib" / package).iterdir())]
    listed = folder / SOURCES
    listed.write_text("".join(f"{digest(file)} {file.name}\n" for file in sources(root, package)), encoding="utf-8")
    return [*files, listed]


def sources(root: Path, package: str) -> list[Path]:
    """The files that a package's part is made of."""
    names = (root / package / f"{name}{kind}" for name in MODULES[package] for kind in (".py", ".pxd", ".pyx"))
    return [file for file in names if file.exists()]


def digest(file: Path) -> str:
    """What a file holds, in short."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def built_or_told(root: Path = ROOT) -> list[Path]:
    """As the environment asks; where it cannot be and need not be, a line says so."""
    if wish() == "0":
        return []
    try:
        files = build(root)
    except CannotCompile as reason:
        if wish() == "1":
            raise SystemExit(f"the compiled variant cannot be built: {reason}") from None
        sys.stderr.write(f"rules: the pure variant, which is slower; the compiled one was not built: {reason}\n")
        return []
    return files


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a program where hatchling is not installed
    pass
else:

    class CompiledHook(BuildHookInterface):  # type: ignore[type-arg] # its configuration is of no interest here
        """Puts the compiled variant into a wheel."""

        def dependencies(self) -> list[str]:
            """What must be there to build it, when it is insisted on."""
            return ["cython>=3.1,<4", "setuptools>=77"] if wish() == "1" else []

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            """Build, and name the files and the kind of machine they are for."""
            if self.target_name != "wheel" or version == "editable":
                return
            files = built_or_told(Path(self.root))
            build_data["force_include"].update({str(file): file.relative_to(self.root).as_posix() for file in files})
            if files:
                build_data["pure_python"], build_data["infer_tag"] = False, True


if __name__ == "__main__":
    for built in built_or_told():
        sys.stdout.write(f"{built.relative_to(ROOT)}\n")
