"""Imports go down only; consent and boycott are independent; few may come near the store."""

import pytest

from tests.architecture.source import APPS, imports, modules, name_of, under

GROUND = {"carerecords"}
# What each package may import of ours. The roof may import all.
MAY_IMPORT = {
    "carerecords": set(),
    "consent": GROUND,
    "boycott": GROUND,
    "spine": GROUND | {"consent", "boycott"},
    "reports": GROUND | {"consent", "boycott", "spine"},
    "demo": GROUND | {"consent", "boycott", "spine", "reports"},
    "config": set(APPS),
}
# Pure modules read neither the database nor the clock nor the settings.
PURE = {
    "carerecords.identifiers",
    "carerecords.permissions",
    "carerecords.small_numbers",
    "carerecords.summary_codes",
    "carerecords.vocabulary",
    "consent.codes",
    "consent.imports.approval",
    "consent.imports.cells",
    "consent.imports.layouts",
    "consent.imports.sentences",
    "consent.rules",
    "boycott.change_states",
    "boycott.figures",
    "boycott.guidance.differences",
    "boycott.guidance.markup",
    "boycott.lattice",
    "boycott.positions",
    "boycott.rules",
    "spine.gate",
    "spine.reasons",
    "spine.sending.answers",
    "spine.sending.batch_size",
    "spine.permission.differences",
    "spine.runs.codes",
    "spine.runs.hours",
}
PURE_PACKAGES = {"spine.messages"}
IMPURE = ("django.db", "django.conf", "django.utils.timezone", "time", "carerecords.models", "spine.models")
# Who may import what stands near the store (law: exactly one path to its client).
PROTECTED = {
    "spine.sending.client": {
        "spine.sending.store",
        "spine.sending.current",
        "spine.sending.desk",
        "spine.permission.setting",
    },
    "spine.sending.credentials": {
        "spine.sending.client",
        "spine.sending.desk",
        "spine.sending.store",
        "spine.management.commands.check_spine_access",
        "spine.management.commands.make_spine_key",
    },
    # A permission is set by a person at a page, never by a job.
    "spine.sending.desk": {"spine.permission.setting"},
    "spine.permission.setting": {"spine.permission.views"},
    "spine.sending.store": {
        "spine.sending.pipeline",
        "spine.sending.current",
        "spine.sending.recovery",
        "spine.sending.overlap",
        "spine.tasks",
    },
    "spine.sending.rate": {"spine.sending.store", "spine.sending.desk"},
    "spine.sending.pipeline": {"spine.sending.overlap"},
    "spine.sending.overlap": {"spine.tasks"},
    "spine.sending.recovery": {"spine.tasks"},
    "spine.sending.settling": {
        "spine.sending.pipeline",
        "spine.sending.recovery",
        "spine.sending.outcomes",
        "spine.runs.resting",
    },
}


@pytest.mark.parametrize("package", APPS)
def test_imports_go_down_only(package):
    others = set(APPS) - {package} - MAY_IMPORT[package]
    found = [
        f"{name_of(path)}:{line} imports {name}"
        for path, tree in modules(package)
        for line, name in imports(path, tree)
        if any(under(name, other) for other in others)
    ]
    assert found == []


def test_the_local_store_imports_nothing_of_ours():
    ours = [app for app in APPS if app != "spine"] + ["django"]
    for path, tree in modules("spine/localstore"):
        for line, name in imports(path, tree):
            alien = any(under(name, app) for app in ours)
            alien |= under(name, "spine") and not under(name, "spine.localstore") and name != "spine"
            assert not alien, f"{name_of(path)}:{line} imports {name}"


def test_nothing_imports_the_local_store():
    for path, tree in modules():
        if not under(name_of(path), "spine.localstore"):
            for line, name in imports(path, tree):
                assert not under(name, "spine.localstore"), f"{name_of(path)}:{line}"


def test_pure_modules_are_pure():
    seen = set()
    for path, tree in modules():
        module = name_of(path)
        if module in PURE or any(under(module, package) for package in PURE_PACKAGES):
            seen.add(module)
            for line, name in imports(path, tree):
                assert not any(under(name, bad) for bad in IMPURE), f"{module}:{line} imports {name}"
            source = path.read_text(encoding="utf-8")
            assert ".now(" not in source and ".today(" not in source, f"{module} reads the clock"
    assert seen >= PURE, f"no such module: {PURE - seen}"


@pytest.mark.parametrize("module", PROTECTED)
def test_few_may_import(module):
    for path, tree in modules():
        if name_of(path) == module:
            continue
        for line, name in imports(path, tree):
            if under(name, module):
                assert name_of(path) in PROTECTED[module], f"{name_of(path)}:{line} imports {module}"


def test_nothing_imports_the_settings_module():
    for path, tree in modules():
        for line, name in imports(path, tree):
            assert not under(name, "config.settings"), f"{name_of(path)}:{line}: use django.conf.settings"
