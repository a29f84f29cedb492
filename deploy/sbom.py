#!/usr/bin/env python3
"""What the binary is made of, as CycloneDX 1.5 JSON on standard output.

    deploy/sbom.py [--debian PACKAGE,…]

Reads `cargo metadata` (the versions of Cargo.lock; only what is linked into the Linux binary, no
test crates) and, with --debian, the installed versions of packages whose files go into an image.
Deterministic: the same Cargo.lock gives the same bytes. Needs nothing but Python and cargo.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import uuid

TARGET = "x86_64-unknown-linux-gnu"


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def linked(metadata):
    """Ids of all packages that the root reaches without dev dependencies."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    found, todo = {root}, [root]
    while todo:
        for dep in nodes[todo.pop()]["deps"]:
            kinds = {kind["kind"] for kind in dep["dep_kinds"]}
            if kinds != {"dev"} and dep["pkg"] not in found:
                found.add(dep["pkg"])
                todo.append(dep["pkg"])
    return found, nodes


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package, checksums):
    entry = {
        "type": "library",
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "purl": purl(package),
    }
    if package.get("license"):
        # The old way to write "or" is no SPDX expression.
        entry["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    checksum = checksums.get((package["name"], package["version"]))
    if checksum:
        entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    return entry


def lock_checksums(text):
    import tomllib

    packages = tomllib.loads(text)["package"]
    return {(it["name"], it["version"]): it["checksum"] for it in packages if "checksum" in it}


def debian(names):
    found = []
    for name in names:
        version = run("dpkg-query", "-W", "-f", "${Version}", name)
        ref = f"pkg:deb/debian/{name}@{version}"
        found.append({"type": "library", "bom-ref": ref, "name": name, "version": version, "purl": ref})
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--debian", default="", metavar="PACKAGE,…")
    debs = debian([it for it in parser.parse_args().debian.split(",") if it])

    metadata = json.loads(
        run("cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", TARGET)
    )
    packages = {it["id"]: it for it in metadata["packages"]}
    ids, nodes = linked(metadata)
    root = packages[metadata["resolve"]["root"]]
    with open("Cargo.lock", encoding="utf-8") as file:
        lock = file.read()
    checksums = lock_checksums(lock)
    libraries = sorted(
        (component(packages[id], checksums) for id in ids if packages[id] is not root),
        key=lambda it: it["bom-ref"],
    )
    depends = [
        {
            "ref": purl(packages[id]),
            "dependsOn": sorted({purl(packages[d["pkg"]]) for d in nodes[id]["deps"] if d["pkg"] in ids}),
        }
        for id in ids
    ]
    digest = hashlib.sha256((lock + json.dumps(debs)).encode()).digest()
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=4)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": purl(root),
                "name": root["name"],
                "version": root["version"],
                "purl": purl(root),
                "licenses": [{"expression": root["license"]}],
            }
        },
        "components": libraries + debs,
        "dependencies": sorted(depends, key=lambda it: it["ref"]),
    }
    json.dump(bom, sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
