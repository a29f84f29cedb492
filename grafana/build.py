#!/usr/bin/env python3
"""Makes every Grafana dashboard of thongsuot, in Vietnamese and in English, from one source.

    grafana/build.py            write grafana/dashboards/{vi,en}/*.json and grafana/empty.json
    grafana/build.py --check    say what differs from the files; exit code 1 if anything does

Python 3.11 and its standard library only. The same source gives the same bytes. Every text is in
words.toml; a text that is missing, unused or left untranslated is an error. Dashboards are in
dashboards.py, what panels are made of in panels.py.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))

import dashboards  # noqa: E402
import words  # noqa: E402


def pretty(value):
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def files():
    """Path below this folder -> text."""
    table = words.Table.load(HERE / "words.toml")
    made, empty = {}, {}
    for language in words.LANGUAGES:
        for name, dashboard, empties in dashboards.all_of(table.speak(language)):
            made[f"dashboards/{language}/{name}.json"] = pretty(dashboard)
            if language == words.LANGUAGES[0]:
                empty[name] = empties
    table.finish()
    made["empty.json"] = pretty(empty)
    return made


def main():
    made = files()
    there = {str(path.relative_to(HERE)) for path in HERE.glob("dashboards/*/*.json")}
    stray = sorted(there - made.keys())
    if sys.argv[1:] == ["--check"]:
        wrong = [name for name, text in sorted(made.items())
                 if not (HERE / name).is_file() or (HERE / name).read_text("utf-8") != text]
        for name in wrong + stray:
            print(f"{name} is not what grafana/build.py makes: run it")
        sys.exit(1 if wrong or stray else 0)
    if sys.argv[1:]:
        sys.exit(__doc__)
    for name, text in sorted(made.items()):
        (HERE / name).parent.mkdir(parents=True, exist_ok=True)
        (HERE / name).write_text(text, "utf-8")
    for name in stray:
        (HERE / name).unlink()


if __name__ == "__main__":
    main()
