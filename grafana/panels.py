"""What dashboards are made of: colours, states, queries, panels, and where they lie.

Panels keep to what Grafana 10 to 13 read (schema version 38, which newer ones bring up to date):
stat, table, timeseries, state-timeline, status-history, bargauge, text.
"""

import re

# Okabe and Ito's palette, which people with any colour vision tell apart; red and green are never
# a pair. Every state also has a symbol and a word.
GREEN, YELLOW, ORANGE, RED = "#009E73", "#F0E442", "#E69F00", "#D55E00"
BLUE, SKY, PINK, GREY, DARK = "#0072B2", "#56B4E9", "#CC79A7", "#8E8E8E", "#4D4D4D"
# Of series that are known beforehand and are neither good nor bad, in their order.
SERIES = [BLUE, ORANGE, PINK, GREEN, SKY, YELLOW, GREY]

# A state as a number, so that panels can colour it and the worst of several is the highest. What is
# not watched at all is 0.
STATES = {"unwatched": 0, "unknown": 1, "up": 2, "slow": 3, "partial": 4, "down": 5}
STATE_COLOURS = {"unwatched": DARK, "unknown": GREY, "up": GREEN, "slow": YELLOW,
                 "partial": ORANGE, "down": RED}

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


# --- PromQL ---------------------------------------------------------------------------------------

# Which vantages are looked at: one series a monitor.
HERE = 'thongsuot_vantage_info{vantage=~"$vantage"}'
# Which systems are looked at, with their names.
CHOSEN = 'thongsuot_system_info{owner=~"$owner",system=~"$system"}'
# Whose line each vantage has; one of which nothing is said goes by its own name.
CARRIER = ('(thongsuot_vantage_info{carrier!="",vantage=~"$vantage"}\n'
           '  or label_replace(thongsuot_vantage_info{carrier="",vantage=~"$vantage"},\n'
           '  "carrier", "– $1", "vantage", "(.+)"))')
# What the checks of the chosen systems say: the only family by check that tells the owner too.
RESULTS = 'thongsuot_results_total{owner=~"$owner",system=~"$system"}'


def seen(selector):
    """Only what the chosen vantages say."""
    return f"({selector} and on (job, instance) {HERE})"


def chosen(expr):
    """Only of the chosen owners and systems; `expr` has one series a system."""
    return f"({expr})\nand on (system) {CHOSEN}"


def checked(expr):
    """Only of the checks of the chosen owners and systems; `expr` has series by check."""
    return f"({expr})\nand on (check) {RESULTS}"


def named(expr, *more):
    """With the official name as a label, and only of the chosen owners and systems."""
    labels = ", ".join(("name",) + more)
    return f"({expr})\n* on (system) group_left ({labels}) topk by (system) (1, {CHOSEN})"


def short(expr):
    """With the name as the label `short`, long ones without their middle: many begin the same, and
    what tells them apart is at the end."""
    return (f'label_replace(label_replace(\n{expr},\n"short", "$1", "name", "(.*)"),\n'
            '"short", "$1 … $2", "name", "(.{8,18}) .{12,}? (.{8,20})")')


def worded(expr, label, words):
    """Values of a label in words; one that is not among `words` stays as it is."""
    for value, text in words.items():
        expr = f'label_replace({expr},\n"{label}", "{text}", "{label}", "{value}")'
    return expr


def state_of(metric, by, matchers=""):
    """The state as a number of STATES; the worst that a vantage knows."""
    parts = [f'{metric}{{state="{state}"{matchers}}} * {number}'
             for state, number in STATES.items() if number]
    return f"max by ({by}) ((\n  " + "\n  or ".join(parts) + f"\n) and on (job, instance) {HERE})"


def cut(expr):
    """A share, cut at three decimals of a percent: as in reports, never rounded up to 100 %."""
    return f"floor(({expr}) * 1e5 + 1e-6) / 1e5"


class Query:
    """One query of a panel. `empty` says why it has nothing to show while all is well."""

    def __init__(self, expr, legend=None, *, instant=False, table=False, empty=None):
        self.expr, self.legend = expr, legend
        self.instant, self.table, self.empty = instant or table, table, empty

    def json(self, ref):
        return {
            "datasource": DATASOURCE,
            "editorMode": "code",
            "expr": self.expr,
            "format": "table" if self.table else "time_series",
            "instant": self.instant,
            "legendFormat": self.legend or "__auto",
            "range": not self.instant,
            "refId": ref,
        }


# --- What fields look like ------------------------------------------------------------------------

def steps(*pairs, base=GREY):
    """Thresholds. The base is grey: what has no value is never green."""
    return {"mode": "absolute",
            "steps": [{"color": base, "value": None}]
            + [{"color": colour, "value": value} for value, colour in pairs]}


def state_mappings(say):
    return [value_mapping({str(number): (say(f"state.{state}"), STATE_COLOURS[state])
                           for state, number in STATES.items()})]


def value_mapping(options):
    """`options`: value -> (text, colour or None)."""
    made = {}
    for at, (value, (text, colour)) in enumerate(options.items()):
        made[value] = {"index": at, "text": text}
        if colour:
            made[value]["color"] = colour
    return {"type": "value", "options": made}


def override(name, **properties):
    """Properties of the column or series called `name`; `__` stands for a dot."""
    return matching("byName", name, properties)


def beginning(words, **properties):
    """Properties of every series whose name begins with `words`."""
    plain = re.sub(r"[.*+?^${}()|\[\]\\/]", r"\\\g<0>", words)
    return matching("byRegexp", f"/^{plain}/", properties)


def asked_by(ref, **properties):
    """Properties of every series of one query."""
    return matching("byFrameRefID", ref, properties)


def matching(matcher, options, properties):
    return {"matcher": {"id": matcher, "options": options},
            "properties": [{"id": key.replace("__", "."), "value": value}
                           for key, value in properties.items()]}


def fixed(colour):
    return {"mode": "fixed", "fixedColor": colour}


# For an override: the second of two lines of one colour, or of a colour by chance.
DASHED = {"fill": "dash", "dash": [10, 6]}


# --- Panels ---------------------------------------------------------------------------------------

class Panel:
    """A panel called by `key`: `KEY` and `KEY-help` are its title and description in words.toml."""

    def __init__(self, kind, key, queries, *, unit="short", decimals=None, thresholds=None,
                 mappings=None, options=None, custom=None, overrides=(), transformations=(),
                 links=(), minimum=None, maximum=None, colour=None, no_value="common.no-data"):
        self.kind, self.key, self.queries = kind, key, queries
        self.defaults = {"unit": unit, "thresholds": thresholds or steps((0, BLUE)),
                         "color": {"mode": colour or "thresholds"}, "mappings": mappings or [],
                         "links": list(links)}
        for name, value in (("decimals", decimals), ("min", minimum), ("max", maximum)):
            if value is not None:
                self.defaults[name] = value
        if custom:
            self.defaults["custom"] = custom
        self.no_value = no_value
        self.options = options or {}
        self.overrides, self.transformations = list(overrides), list(transformations)

    def json(self, say, section, number, place):
        defaults = dict(self.defaults, noValue=say(self.no_value))
        refs = [chr(ord("A") + at) for at in range(len(self.queries))]
        return {
            "datasource": DATASOURCE,
            "description": say(f"{section}.{self.key}-help"),
            "fieldConfig": {"defaults": defaults, "overrides": self.overrides},
            "gridPos": place,
            "id": number,
            "options": self.options,
            "targets": [query.json(ref) for query, ref in zip(self.queries, refs)],
            "title": say(f"{section}.{self.key}"),
            "transformations": self.transformations,
            "type": self.kind,
        }

    def empties(self):
        return {chr(ord("A") + at): query.empty
                for at, query in enumerate(self.queries) if query.empty}


REDUCE = {"calcs": ["lastNotNull"], "fields": "", "values": False}


def stat(key, queries, *, background=True, name=False, size=None, graph=False, **more):
    options = {"colorMode": "background" if background else "value",
               "graphMode": "area" if graph else "none", "justifyMode": "center",
               "orientation": "auto", "reduceOptions": REDUCE,
               "textMode": "value_and_name" if name else "value"}
    if size:
        options["text"] = size
    return Panel("stat", key, queries, options=options, **more)


def lines(key, queries, *, stacked=False, bars=False, fill=0, threshold_style="off", **more):
    custom = {"drawStyle": "bars" if bars else "line", "fillOpacity": 70 if stacked else fill,
              "lineInterpolation": "linear", "lineWidth": 1 if stacked else 2,
              "showPoints": "never", "spanNulls": False, "axisPlacement": "auto",
              "stacking": {"group": "A", "mode": "normal" if stacked else "none"},
              "thresholdsStyle": {"mode": threshold_style}}
    options = {"legend": {"calcs": ["lastNotNull", "max"], "displayMode": "table",
                          "placement": "bottom", "showLegend": True},
               "tooltip": {"mode": "multi", "sort": "desc"}}
    more.setdefault("minimum", 0)
    # Not by name: Grafana 10 takes the name that all series of Prometheus share. No decimals of 0:
    # between whole numbers the axis then says the words for no data.
    more.setdefault("colour", "palette-classic")
    assert more.get("decimals") != 0, key
    return Panel("timeseries", key, queries, options=options, custom=custom, **more)


def timeline(key, queries, say, **more):
    options = {"alignValue": "left", "legend": {"calcs": [], "displayMode": "list",
                                                "placement": "bottom", "showLegend": True},
               "mergeValues": True, "rowHeight": 0.85, "showValue": "auto",
               "tooltip": {"mode": "single", "sort": "none"}}
    return Panel("state-timeline", key, queries, options=options, mappings=state_mappings(say),
                 custom={"fillOpacity": 85, "lineWidth": 0}, **more)


def history(key, queries, say, **more):
    options = {"colWidth": 0.9, "legend": {"calcs": [], "displayMode": "list",
                                           "placement": "bottom", "showLegend": True},
               "rowHeight": 0.85, "showValue": "never",
               "tooltip": {"mode": "single", "sort": "none"}}
    return Panel("status-history", key, queries, options=options, mappings=state_mappings(say),
                 custom={"fillOpacity": 85, "lineWidth": 0}, **more)


def bars(key, queries, **more):
    options = {"displayMode": "basic", "maxVizHeight": 40, "minVizHeight": 16, "minVizWidth": 8,
               "orientation": "horizontal", "reduceOptions": REDUCE, "showUnfilled": True,
               "text": {"titleSize": 12, "valueSize": 16},
               "valueMode": "color"}
    return Panel("bargauge", key, queries, options=options, **more)


def table(key, queries, columns, say, *, overrides=(), sort=None, **more):
    """Instant queries side by side, one row a set of labels. `columns`: field -> key of its name, in
    order; other fields are left out."""
    names = {field: say(name) for field, name in columns.items()}
    hidden = {field: True for field in ["Time"] if field not in columns}
    transformations = [
        {"id": "merge", "options": {}},
        {"id": "filterFieldsByName", "options": {"include": {"names": list(columns)}}},
        {"id": "organize", "options": {
            "excludeByName": hidden,
            "indexByName": {field: at for at, field in enumerate(columns)},
            "renameByName": names}},
    ]
    options = {"cellHeight": "sm", "showHeader": True}
    if sort:
        options["sortBy"] = [{"desc": sort[1], "displayName": say(sort[0])}]
    custom = {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False, "minWidth": 80}
    # The words for no data are those of an empty table; a single cell has none.
    empty = [override(names[field], noValue=say("common.no")) for field in columns
             if field.startswith("Value")]
    return Panel("table", key, queries, options=options, custom=custom,
                 overrides=list(overrides) + empty, transformations=transformations, **more)


def background():
    """For an override: the cell is coloured whole."""
    return {"type": "color-background", "mode": "basic"}


# --- Dashboards -----------------------------------------------------------------------------------

WIDTH = 24


class Row:
    """Panels side by side, with their widths; `title` begins a new part."""

    def __init__(self, height, *panels, title=None):
        self.height, self.panels, self.title = height, panels, title


def lay(say, section, rows):
    """Panels as JSON, and why some are empty: `{id: {ref: reason}}`."""
    made, empty, y, number = [], {}, 0, 1
    for row in rows:
        if row.title:
            made.append({"collapsed": False, "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": y},
                         "id": number, "panels": [], "title": say(row.title), "type": "row"})
            y, number = y + 1, number + 1
        x = 0
        for width, panel in row.panels:
            place = {"h": row.height, "w": width, "x": x, "y": y}
            made.append(panel.json(say, section, number, place))
            if panel.empties():
                empty[str(number)] = panel.empties()
            x, number = x + width, number + 1
        assert x <= WIDTH, (section, [panel.key for _, panel in row.panels])
        y += row.height
    return made, empty
