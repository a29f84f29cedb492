"""Looks over deploy/, grafana/provisioning/ and grafana/dashboards/: what an engine, a cluster or Grafana would refuse, and
what we promise of it.

    tests/deploy/lint.py compose FILE
    tests/deploy/lint.py kubernetes FOLDER
    tests/deploy/lint.py provisioning FOLDER
    tests/deploy/lint.py dashboards FOLDER

Prints one line a mistake; exit code 1 if there is any. Needs PyYAML; with the module
kubernetes_validate the manifests are also held against Kubernetes' own schema.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import yaml

mistakes = []


def must(true, what):
    if not true:
        mistakes.append(what)


class Strict(yaml.SafeLoader):
    """Refuses a key that stands twice."""


def mapping(loader, node, deep=False):
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
    twice = {key for key in keys if keys.count(key) > 1}
    must(not twice, f"line {node.start_mark.line + 1}: twice: {twice}")
    loader.flatten_mapping(node)
    return dict((loader.construct_object(k, True), loader.construct_object(v, True)) for k, v in node.value)


Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)

# Keys of the Compose specification that are used here or may come.
SERVICE = {
    "build", "cap_drop", "command", "depends_on", "environment", "healthcheck", "image", "logging",
    "mem_limit", "networks", "pids_limit", "ports", "read_only", "restart", "secrets", "security_opt",
    "stop_grace_period", "sysctls", "tmpfs", "user", "volumes",
}  # fmt: skip
HEALTH = {"test", "interval", "timeout", "retries", "start_period"}


def compose(path):
    text = path.read_text(encoding="utf-8")
    file = yaml.load(text, Strict)
    extra = {key for key in file if not key.startswith("x-")} - {"name", "services", "secrets", "volumes"}
    must(not extra, f"unknown: {extra}")
    used = set()
    must(set(file["services"]) == {"thongsuot", "prometheus", "alertmanager", "grafana"}, "the four services")
    for name, service in file["services"].items():
        must(not set(service) - SERVICE, f"{name}: unknown: {set(service) - SERVICE}")
        must(re.fullmatch(r"[a-z0-9./-]+:v?\d+\.\d+\.\d+", service.get("image", "")), f"{name}: image is not pinned")
        must(service.get("read_only") is True, f"{name}: root can be written")
        must(service.get("cap_drop") == ["ALL"], f"{name}: keeps capabilities")
        must("no-new-privileges:true" in service.get("security_opt", []), f"{name}: may gain privileges")
        must(service.get("restart"), f"{name}: is not started again")
        health = service.get("healthcheck", {})
        must(set(health) == HEALTH and health["test"][0] == "CMD", f"{name}: no health check")
        for port in service.get("ports", []):
            must(port.startswith("127.0.0.1:"), f"{name}: {port} is open beyond loopback")
        for volume in service.get("volumes", []):
            source, target, *mode = volume.split(":")
            if source.startswith("."):
                must(mode == ["ro"], f"{name}: may write {source}")
                used.add(source)
            else:
                must(source in file["volumes"], f"{name}: no volume {source}")
        for secret in service.get("secrets", []):
            must(secret in file["secrets"], f"{name}: no secret {secret}")
        for key, value in (service.get("environment") or {}).items():
            if "PASSWORD" in key or "TOKEN" in key or "SECRET" in key:
                must(key.endswith("__FILE") and value.startswith("/run/secrets/"), f"{name}: {key} is not a file")
            must(isinstance(value, str), f"{name}: {key} is not a text")
        for other, how in (service.get("depends_on") or {}).items():
            must(other in file["services"] and how == {"condition": "service_healthy"}, f"{name}: depends on {other}")
    for name, secret in file["secrets"].items():
        must(set(secret) == {"file"} and secret["file"].startswith("./secrets/"), f"{name}: is not a file of secrets")
    must("GF_SECURITY_ADMIN_PASSWORD__FILE" in file["services"]["grafana"]["environment"], "a default password")
    for source in sorted(used):
        must((path.parent / source).exists(), f"there is no {source}")
    # Nothing that is kept in git may be a secret.
    tracked = subprocess.run(["git", "ls-files", "deploy/compose/secrets"], capture_output=True, text=True)
    must(not tracked.stdout.strip(), "secrets are in git")


def kubernetes(folder):
    kustomization = yaml.load((folder / "kustomization.yaml").read_text(encoding="utf-8"), Strict)
    listed, there = set(kustomization["resources"]), {it.name for it in folder.glob("*.yaml")}
    must(listed == there - {"kustomization.yaml"}, f"kustomization.yaml lists {listed ^ there}")
    objects = {}
    for name in sorted(listed):
        for item in yaml.load_all((folder / name).read_text(encoding="utf-8"), Strict):
            objects[item["kind"]] = item
            must(item["kind"] == "Namespace" or item["metadata"].get("namespace") == "thongsuot", f"{name}: namespace")
            schema(name, item)
    labels = {"app.kubernetes.io/name": "thongsuot"}
    stateful = objects["StatefulSet"]["spec"]
    pod = stateful["template"]["spec"]
    (container,) = pod["containers"]
    must(stateful["replicas"] == 1, "one pod is one place of measurement")
    must(stateful["template"]["metadata"]["labels"] == stateful["selector"]["matchLabels"] == labels, "labels")
    must(stateful["serviceName"] == objects["Service"]["metadata"]["name"], "serviceName")
    must(objects["Service"]["spec"]["selector"] == labels, "the service selects something else")
    (port,) = objects["Service"]["spec"]["ports"]
    must(port["targetPort"] in {it["name"] for it in container["ports"]}, "the service's port")
    monitor = objects["ServiceMonitor"]["spec"]
    must(monitor["selector"]["matchLabels"] == objects["Service"]["metadata"]["labels"], "the monitor selects nothing")
    must(monitor["endpoints"][0]["port"] == port["name"], "the monitor's port")
    # The pod security standard `restricted`.
    must(pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0, "runs as root")
    must(pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault", "no seccomp profile")
    inner = container["securityContext"]
    must(inner["allowPrivilegeEscalation"] is False and inner["capabilities"] == {"drop": ["ALL"]}, "privileges")
    must(inner["readOnlyRootFilesystem"] is True, "root can be written")
    must(pod["automountServiceAccountToken"] is False, "has a token of the cluster")
    mounts = {it["name"] for it in container["volumeMounts"]}
    claims = {it["metadata"]["name"] for it in stateful["volumeClaimTemplates"]}
    must(mounts == claims | {it["name"] for it in pod["volumes"]}, "mounts and volumes differ")
    must(all(it.get("readOnly") for it in container["volumeMounts"] if it["name"] not in claims), "may write more")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        must(container[probe]["httpGet"]["port"] == "http", probe)
    must(pod["terminationGracePeriodSeconds"] > 10, "shorter than [monitor] grace")
    print(json.dumps(objects["ConfigMap"]["data"]))


# What Grafana 10 to 13 read of these files; another key they pass over without a word.
DATASOURCE = {
    "access", "basicAuth", "basicAuthUser", "correlations", "database", "editable", "isDefault", "jsonData",
    "name", "orgId", "orgName", "secureJsonData", "type", "uid", "url", "user", "version", "withCredentials",
}  # fmt: skip
PROVIDER = {
    "allowUiUpdates", "disableDeletion", "editable", "folder", "folderUid", "name", "options", "orgId", "type",
    "updateIntervalSeconds",
}  # fmt: skip
OPTIONS = {"foldersFromFilesStructure", "path"}
# Of Prometheus' datasource, what is set here.
JSON_DATA = {"httpMethod": ("GET", "POST"), "timeInterval": None}


def provisioning(folder):
    def read(name, key, keys):
        file = yaml.load((folder / name).read_text(encoding="utf-8"), Strict)
        must(set(file) == {"apiVersion", key} and file["apiVersion"] == 1, f"{name}: {set(file)}")
        for item in file[key]:
            must(set(item) <= keys, f"{name}: unknown: {set(item) - keys}")
            # Grafana puts the environment in the place of $NAME.
            must("$" not in json.dumps(item), f"{name}: a variable of the environment")
        return file[key]

    (source,) = read("datasources/prometheus.yml", "datasources", DATASOURCE)
    must((source["type"], source["access"]) == ("prometheus", "proxy"), "the datasource's type or access")
    must(re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", source["uid"]), "the datasource's uid")
    for key, value in source["jsonData"].items():
        must(key in JSON_DATA and (JSON_DATA[key] is None or value in JSON_DATA[key]), f"jsonData: {key}")
    providers = read("dashboards/thongsuot.yml", "providers", PROVIDER)
    dashboards = {json.loads(it.read_text(encoding="utf-8"))["uid"] for it in folder.glob("../dashboards/*/*.json")}
    for provider in providers:
        must(provider["type"] == "file" and set(provider["options"]) <= OPTIONS, f"{provider['name']}: options")
        must(re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", provider["folderUid"]), f"{provider['name']}: folderUid")
        # A folder and a dashboard may not be called the same.
        must(provider["folderUid"] not in dashboards, f"{provider['name']}: folderUid is a dashboard's")
    for key in ("name", "folder", "folderUid"):
        must(len({it[key] for it in providers}) == len(providers), f"two providers of one {key}")


# --- Dashboards: every figure of a system is of the chosen owner and system -----------------------

FAMILY = re.compile(r'^ +[A-Z_]+ (?:Counter|Gauge|Histogram|Info) "(\w+)"\s+\[(.*)\]$', re.M)
TOKEN = re.compile(r'"[^"]*"|(\w+)(\{[^}]*\})?|[(),]')
# What a query is limited through: series of the same system or check, or what a system depends on.
JOINED = ({"system"}, {"check"}, {"on"})
CHOICE = ('owner=~"$owner"', 'system=~"$system"')
# Lines of these labels alone are known beforehand, and so are their colours.
CLOSED = {"outcome", "phase", "window", "severity", "result"}


def of_systems():
    """Families by system or check."""
    source = Path(__file__).parents[2] / "src/metrics/family.rs"
    found = {name: set(re.findall(r"\w+", labels)) for name, labels in FAMILY.findall(source.read_text("utf-8"))}
    must(len(found) > 40, "src/metrics/family.rs reads otherwise than it did")
    return {name for name, labels in found.items() if labels & {"system", "check"}}


def tree(expr):
    """A query as a list of (word or comma, matchers) and of lists for what is in parentheses."""
    open_groups = [[]]
    for it in TOKEN.finditer(expr):
        if it[0] == "(":
            open_groups.append([])
        elif it[0] == ")":
            group = open_groups.pop()
            open_groups[-1].append(group)
        elif it[1]:
            open_groups[-1].append((it[1], it[2] or ""))
        elif it[0] == ",":
            open_groups[-1].append((",", ""))
    must(len(open_groups) == 1, f"parentheses: {expr}")
    return open_groups[0]


def parts(group):
    """What stands on either side of `or`, which binds least, and of commas."""
    made = [[]]
    for it in group:
        if it in ((",", ""), ("or", "")):
            made.append([])
        else:
            made[-1].append(it)
    return made


def chooses(part):
    """Whether something in `part` is of the chosen owner and system by its own labels."""
    if isinstance(part, list):
        return any(chooses(it) for it in part)
    return all(choice in part[1] for choice in CHOICE)


def unlimited(group, families, limited=False):
    """Families in a query that are neither limited by their labels nor by a join around them."""
    for part in parts(group):
        # `… and on (system) info`, `… * on (system) group_left (name) topk by (system) (1, info)`
        joins = [at for at, it in enumerate(part)
                 if isinstance(it, list) and part[at - 1:at] == [("on", "")] and {word for word, _ in it} in JOINED
                 and part[at - 2] != ("unless", "")]
        here = limited or any(chooses(part[at + 1:]) for at in joins)
        # What is joined to series that are limited is only of those.
        if joins and isinstance(part[0], list) and chooses(part[0]):
            here = here or not list(unlimited(part[0], families))
        for it in part:
            # From here on series are only kept or dropped.
            if it in (("and", ""), ("unless", "")):
                break
            if isinstance(it, list):
                yield from unlimited(it, families, here)
            elif re.sub("_(bucket|count|sum)$", "", it[0]) in families and not here and not chooses(it):
                yield it[0] + it[1]


def colours(place, panel):
    """Of lines that are known beforehand none has a colour by chance."""
    fixed = {(it["matcher"]["id"], it["matcher"]["options"]) for it in panel["fieldConfig"]["overrides"]
             if any(property["id"] == "color" for property in it["properties"])}
    for target in panel["targets"]:
        legend = target["legendFormat"]
        if "{{" not in legend and len(panel["targets"]) > 1:
            must(fixed & {("byName", legend), ("byFrameRefID", target["refId"])}, f"{place}: no colour: {legend}")
        if legend.strip("{}") in CLOSED:
            must(len(fixed) > 1, f"{place}: colours by chance: {legend}")


def reasons():
    """The dashboards have the reasons of this version, in its words."""
    model = Path(__file__).parents[2] / "src/model"
    words = dict(re.findall(r'Self::(\w+) => "([^"]*)"', (model / "reason/words.rs").read_text("utf-8")))
    table = (Path(__file__).parents[2] / "grafana/words.toml").read_text("utf-8")
    found = re.findall(r'^    \d+ (\w+) "(\w+)" (\w+);', (model / "reason.rs").read_text("utf-8"), re.M)
    must(len(found) > 60, "src/model/reason.rs reads otherwise than it did")
    for variant, name, outcome in found:
        if outcome not in ("Ok", "Slow", "Blocked"):
            must(f'\n{name} = ["{words[variant]}", "' in table, f"grafana/words.toml: {name} is not {words[variant]}")


def dashboards(folder):
    reasons()
    families = of_systems()
    files = sorted(folder.glob("*/*.json"))
    must(files, f"no dashboard in {folder}")
    for path in files:
        dashboard = json.loads(path.read_text(encoding="utf-8"))
        variables = {it["name"]: it for it in dashboard["templating"]["list"]}
        expressions = [(it["name"], it["target"]["expr"]) for it in dashboard["annotations"]["list"]]
        for panel in dashboard["panels"]:
            expressions += [(f"{panel['title']}/{it['refId']}", it["expr"]) for it in panel.get("targets", [])]
            if panel["type"] == "timeseries":
                colours(f"{path.parent.name}/{path.name}: {panel['title']}", panel)
        if "check" in variables:
            expressions.append(("$check", variables["check"]["query"]["query"]))
        if "owner" not in variables:
            continue
        for place, expr in expressions:
            for family in unlimited(tree(expr), families):
                must(False, f"{path.parent.name}/{path.name}: {place}: not of the chosen owner and system: {family}")


def schema(name, item):
    """By Kubernetes' own schema, where that module is there; it does not know operators' kinds."""
    try:
        import kubernetes_validate
    except ImportError:
        return
    if item["apiVersion"].startswith("monitoring.coreos.com"):
        return
    try:
        kubernetes_validate.validate(item, "1.29", strict=True)
    except kubernetes_validate.ValidationError as mistake:
        mistakes.append(f"{name}: {str(mistake).splitlines()[0]}")


def main():
    looks = {"compose": compose, "kubernetes": kubernetes, "provisioning": provisioning, "dashboards": dashboards}
    looks[sys.argv[1]](Path(sys.argv[2]))
    for mistake in mistakes:
        print(mistake, file=sys.stderr)
    sys.exit(bool(mistakes))


main()
