"""Every public name of the labs shows itself at work, and what its docstring prints is what it gives."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import labs

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def public(module) -> dict[str, object]:
    """Functions and classes that a lab itself defines, without those whose name starts with an underscore."""
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module.__name__
    }


def own(cls: type) -> dict[str, object]:
    """Public methods and properties that a class itself defines."""
    kinds = (property, staticmethod, classmethod)
    return {
        name: value
        for name, value in vars(cls).items()
        if not name.startswith("_")
        and (isinstance(value, kinds) or (inspect.isfunction(value) and value.__module__ == cls.__module__))
        and name not in getattr(cls, "_fields", ())
    }


def examples(value: object, name: str, module) -> list[doctest.DocTest]:
    """Examples of a function, or of a class and its methods. doctest alone overlooks functions that are wrapped."""
    shown = [(name, value)]
    if inspect.isclass(value):
        shown += [(f"{name}.{each}", method) for each, method in own(value).items()]
    finder = doctest.DocTestFinder(recurse=False, exclude_empty=True)
    found = []
    for label, each in shown:
        text = each if isinstance(each, property) else inspect.unwrap(each)
        found += [test for test in finder.find(text, label, module=False, globs=vars(module)) if test.examples]
    return found


MODULES = [importlib.import_module(f"labs.{each.name}") for each in pkgutil.iter_modules(labs.__path__)]
NAMES = [
    pytest.param(module, name, id=f"{module.__name__[5:]}.{name}") for module in MODULES for name in public(module)
]


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_the_example_holds(module, name):
    value = public(module)[name]
    found = examples(value, name, module)
    # A class that only holds values is shown by the function that returns it.
    assert found or (inspect.isclass(value) and not own(value)), f"{module.__name__}.{name} shows no example."
    said = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    for each in found:
        runner.run(each, out=said.append)
    assert not runner.failures, "".join(said)
