"""Ten observables of about 3363 nuclei (section 3)."""

import pytest

from nuclr.data.observables import OBSERVABLES, rows
from nuclr.verdict.evidence import Panel

pytestmark = pytest.mark.claim("dataset")


def test_the_data_set_has_the_published_size(core, evidence):
    table = rows()
    counts = {name: int((table.task == task).sum()) for task, name in enumerate(table.names)}
    evidence.measure("nuclei", len(core.z), over="exact")
    evidence.measure("observables", sum(count > 0 for count in counts.values()), over="exact")
    evidence.note(
        "nuclei whose mass is measured, the others estimated from the trend", int(core.measured.sum()), "nuclei"
    )
    evidence.note("rows of all observables", len(table), "rows")
    evidence.note("largest Z and N (the paper: 118 and 178)", [int(core.z.max()), int(core.n.max())], "1")
    per_nucleon = core.binding / (core.z + core.n) / 1000
    top = per_nucleon.argmax()
    evidence.figure(
        "data",
        title="The nuclides and their binding energy",
        caption=f"{len(core.z)} nuclides; the binding energy per nucleon peaks near iron and nickel. The paper took the list of a "
        "nuclear chart of its day, 25 nuclides more than AME2020 with a year of discovery in NUBASE2020.",
        alt=f"Chart of nuclides coloured by binding energy per nucleon, largest at Z = {core.z[top]}, N = {core.n[top]} with "
        f"{per_nucleon[top]:.2f} MeV.",
        panels=[
            Panel(
                "chart",
                "Binding energy per nucleon",
                {"z": core.z, "n": core.n, "value": per_nucleon},
                {"label": "E_B / A", "unit": "MeV"},
            ),
            Panel(
                "bars",
                "Rows of each observable",
                {"value": list(counts.values())},
                {"labels": [OBSERVABLES[name].title for name in counts], "xlabel": "rows"},
            ),
        ],
    )
    others = [
        (task, name) for task, name in enumerate(table.names) if counts[name] and name not in ("binding", "z", "n")
    ]
    evidence.figure(
        "observables",
        title="The other observables",
        caption="Charge radii are measured for fewer nuclides than masses. A decay is possible where its energy is positive.",
        alt="Charts of nuclides coloured by other observables: "
        + ", ".join(f"{OBSERVABLES[name].title} of {counts[name]}" for _, name in others)
        + ".",
        panels=[observable(table, task, OBSERVABLES[name]) for task, name in others],
    )
    evidence.conclude()


def observable(table, task, one):
    here, energy = table.task == task, one.unit == "keV"
    return Panel(
        "chart",
        one.title[0].upper() + one.title[1:],
        {"z": table.z[here], "n": table.n[here], "value": table.value[here] / (1000 if energy else 1)},
        {"label": one.symbol, "unit": "MeV" if energy else one.unit, "diverging": one.symbol.startswith("Q")},
    )
