"""`defaults` and `extends`: what each experiment of a parameter file inherits, and each model within an experiment."""

from __future__ import annotations

from dataclasses import replace

from fvae.params.source import Entry, located


def resolve(file: Entry) -> Entry:
    """The file with `defaults` and `extends` merged into the experiments; every entry keeps the place it comes from.

    An experiment is made of the defaults, overridden by the experiment that it extends, overridden by its own keys.
    Raises UserError where `extends` names no experiment or leads back to itself.
    """
    sections = _mapping(file)
    if "experiments" not in sections:
        return file  # validation says so
    experiments = _mapping(sections["experiments"])
    defaults = sections.get("defaults", replace(file, value={}, place="defaults"))
    _mapping(defaults)
    merged = {name: _inherit(name, experiments, defaults) for name in experiments}
    own = {name: entry for name, entry in sections.items() if name != "defaults"}
    return replace(file, value=own | {"experiments": replace(sections["experiments"], value=merged)})


def _mapping(entry: Entry) -> dict[str, Entry]:
    if not isinstance(entry.value, dict):
        raise located(entry, f"must be a mapping of names to values, not {entry.plain()!r}")
    return entry.value


def _inherit(name: str, experiments: dict[str, Entry], defaults: Entry) -> Entry:
    """An experiment with all that it inherits."""
    chain = _chain(name, experiments)
    merged = replace(experiments[name], value=defaults.value)
    for own in reversed(chain):
        sections = {key: entry for key, entry in _mapping(own).items() if key != "extends"}
        merged = _without_removed_models(merged, merge(merged, replace(own, value=sections)))
    return _with_extended_models(merged)


def _with_extended_models(experiment: Entry) -> Entry:
    """The experiment with each model that extends another one of it merged into that one."""
    models = experiment.value.get("models")
    if models is None or not isinstance(models.value, dict):
        return experiment
    merged: dict[str, Entry] = {}
    for name in models.value:
        *inherited, own = reversed(_chain(name, models.value, "model"))
        for section in [*inherited, own]:
            if not isinstance(section.value, dict):
                break  # validation says so
            values = {key: entry for key, entry in section.value.items() if key != "extends"}
            section = replace(section, value=values)
            merged[name] = merge(merged[name], section) if name in merged else section
        merged.setdefault(name, own)
    return replace(experiment, value=experiment.value | {"models": replace(models, value=merged)})


def _chain(name: str, sections: dict[str, Entry], what: str = "experiment") -> list[Entry]:
    """An experiment (or model), the one that it extends, and so on."""
    names = [name]
    while isinstance(sections[names[-1]].value, dict) and "extends" in sections[names[-1]].value:
        extends: Entry = sections[names[-1]].value["extends"]
        if not isinstance(extends.value, str) or extends.value not in sections:
            where = "the experiments are" if what == "experiment" else "the experiment has"
            raise located(extends, f"no {what} '{extends.plain()}'; {where} {', '.join(sections)}")
        if extends.value in names:
            cycle = " extends ".join([*names[names.index(extends.value) :], extends.value])
            article = "an" if what == "experiment" else "a"
            raise located(extends, f"{article} {what} cannot extend itself: {cycle}")
        names.append(extends.value)
    return [sections[each] for each in names]


def merge(inherited: Entry, own: Entry, section: str = "") -> Entry:
    """Mappings merge key by key; anything else, or one of another `kind` or `networks`, replaces what is inherited."""
    if (
        not isinstance(inherited.value, dict)
        or not isinstance(own.value, dict)
        or _kinds_differ(inherited, own, section)
    ):
        return own
    merged = {
        name: merge(inherited.value[name], entry, name) if name in inherited.value else entry
        for name, entry in own.value.items()
    }
    return replace(own, value=inherited.value | merged)


def _kinds_differ(inherited: Entry, own: Entry, section: str) -> bool:
    """Whether the sections are of two kinds, such as data from images and portraits, or of two kinds of networks."""
    unnamed = "multiscale" if section == "flow" else None
    for key, usual in (("kind", unnamed), ("networks", "residual")):
        if key in own.value:
            before = inherited.value[key].value if key in inherited.value else usual
            if before is not None and own.value[key].value != before:
                return True
    return False


def _without_removed_models(inherited: Entry, merged: Entry) -> Entry:
    """The experiment without the inherited models that it sets to null."""
    models = merged.value.get("models")
    if models is None or not isinstance(models.value, dict):
        return merged
    before = inherited.plain().get("models") or {}
    for name, entry in models.value.items():
        if entry.value is None and name not in before:
            raise located(entry, "null removes an inherited model, and no model of that name is inherited")
    kept = {name: entry for name, entry in models.value.items() if entry.value is not None}
    return replace(merged, value=merged.value | {"models": replace(models, value=kept)})
