"""The five dashboards: what each asks, of which metrics, and in what order."""

from panels import (BLUE, CARRIER, CHOSEN, DARK, DASHED, DATASOURCE, GREEN, GREY, HERE, ORANGE, PINK,
                    RED, SERIES, SKY, STATES, YELLOW, Query, Row, asked_by, background, bars, beginning, checked,
                    chosen, cut, fixed, history, lay, lines, named, override, seen, short,
                    stat, state_mappings, state_of, steps, table, timeline, value_mapping, worded)

# In the order of the links.
NAMES = ("wall", "system", "vantage", "slo", "monitor")

RATE = "$__rate_interval"
# Checks run every minute to every six: a shorter look at them would be full of gaps.
WINDOW = "$window"
WINDOWS = ("10m", "30m", "1h", "6h", "1d")
TREND = "1d"  # how far back a forecast looks

# Series of outcomes, good ones first.
OUTCOMES = {"ok": GREEN, "slow": YELLOW, "error": RED, "hang": PINK, "unreachable": BLUE,
            "stale": ORANGE, "blocked": GREY, "void": DARK}
PHASES = {"dns": BLUE, "connect": SKY, "tls": PINK, "send": YELLOW, "wait": ORANGE,
          "receive": GREEN}
AVAILABILITIES = dict(zip(("1h", "24h", "7d", "30d", "period"), SERIES))
SEVERITIES = {"page": RED, "ticket": ORANGE, "info": BLUE}
# What comes of messages, of attempts to send one, of alerts and of signs of life.
RESULT_COLOURS = {"sent": BLUE, "accepted": BLUE, "later": ORANGE, "withheld": ORANGE, "refused": PINK,
           "failed": RED, "dropped": GREY}
QUEUES = ("events", "history")


def in_words(say, kind, colours):
    """Series that are called by a label's value: each in its own words and colour."""
    return [override(it, displayName=say(f"{kind}.{it}"),
                     color=fixed(colour))
            for it, colour in colours.items()]


def texts(say, kind, values):
    """The words of a label's values."""
    return {it: say(f"{kind}.{it}") for it in values}


def results_in_words(say, expr, *values):
    """For messages and the like by somebody and `result`: the query and its overrides."""
    words = texts(say, "result", values)
    return (worded(expr, "result", words),
            [beginning(text + " · ", color=fixed(RESULT_COLOURS[it])) for it, text in words.items()])


def uid(name, language):
    return f"thongsuot-{name}" + ("" if language == "vi" else f"-{language}")


# --- Variables, links, annotations ----------------------------------------------------------------

def variable(say, name, query, *, regex="", many=True, refresh=2):
    made = {
        "current": {},
        "datasource": DATASOURCE,
        "definition": query,
        "hide": 0,
        "includeAll": many,
        "label": say(f"variable.{name}"),
        "multi": many,
        "name": name,
        "options": [],
        "query": {"qryType": 3 if query.startswith("query_result") else 1, "query": query,
                  "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        "refresh": refresh,
        "regex": regex,
        "skipUrlSync": False,
        "sort": 5,
        "type": "query",
    }
    # Families by check don't carry the system: all checks are those that are offered.
    if many and name != "check":
        made["allValue"] = ".*"
    if many:
        made["current"] = {"selected": True, "text": ["All"], "value": ["$__all"]}
    return made


def window(say):
    """How far back rates look."""
    options = [{"selected": it == WINDOWS[0], "text": it, "value": it} for it in WINDOWS]
    return {"current": options[0], "hide": 0, "includeAll": False,
            "label": say("variable.window"), "multi": False, "name": "window",
            "options": options, "query": ",".join(WINDOWS), "skipUrlSync": False, "type": "custom"}


def by_name(of):
    """A name is shown, an id is used. Prometheus gives labels in alphabetical order."""
    return f'/[{{,]{of[0]}="(?<text>[^"]*)".*[,]{of[1]}="(?<value>[^"]*)"/'


def variables(say, names, single=()):
    made = [{"current": {}, "hide": 0, "includeAll": False, "label": say("variable.datasource"),
             "multi": False, "name": "datasource", "options": [], "query": "prometheus",
             "refresh": 1, "regex": "", "skipUrlSync": False, "type": "datasource"}]
    queries = {
        # The label `owner` stands before `owner_name`, and `name` before `system`.
        "owner": ("query_result(max by (owner, owner_name) (thongsuot_system_info))",
                  '/owner="(?<value>[^"]*)",owner_name="(?<text>[^"]*)"/'),
        "system": ('query_result(max by (name, system) (thongsuot_system_info{owner=~"$owner"}))',
                   by_name(("name", "system"))),
        "vantage": ("label_values(thongsuot_vantage_info, vantage)", ""),
        "check": ('label_values(thongsuot_results_total{owner=~"$owner",system=~"$system"}, check)',
                  ""),
    }
    for name in names:
        if name == "window":
            made.append(window(say))
            continue
        query, regex = queries[name]
        made.append(variable(say, name, query, regex=regex, many=name not in single))
    return {"list": made}


def links(say, here):
    made = []
    for name in NAMES:
        if name != here:
            made.append({"asDropdown": False, "icon": "dashboard", "includeVars": True,
                         "keepTime": True, "tags": [], "targetBlank": False,
                         "title": say(f"{name}.title"), "tooltip": say(f"{name}.help"),
                         "type": "link", "url": f"/d/{uid(name, say.language)}"})
    made.append({"asDropdown": False, "icon": "bolt", "includeVars": False, "keepTime": False,
                 "tags": [], "targetBlank": False, "title": say("common.alerts"),
                 "tooltip": say("common.alerts-help"), "type": "link", "url": "/alerting/list"})
    return made


def annotation(say, name, expr, colour):
    return {"datasource": DATASOURCE, "enable": True, "hide": False, "iconColor": colour,
            "name": say(f"annotation.{name}"), "tagKeys": "system",
            "target": {"expr": expr, "interval": "60s", "refId": "Anno"},
            "textFormat": "{{name}}",
            "titleFormat": say(f"annotation.{name}-title"), "useValueForTime": False}


def annotations(say):
    return {"list": [
        annotation(say, "incident", named("max by (system) (thongsuot_incident_open) == 1"), RED),
        annotation(say, "maintenance",
                   named("max by (system) (thongsuot_maintenance_active) == 1"), SKY),
    ]}


def to_system(say, system):
    """A link to the page of the system that `system` stands for."""
    where = uid("system", say.language)
    return {"targetBlank": False, "title": say("common.to-system"),
            "url": f"/d/{where}?var-system={system}&${{datasource:queryparam}}&"
                   "${vantage:queryparam}&${__url_time_range}"}


def dashboard(say, name, rows, names, *, single=(), since="now-6h", refresh="1m", notes=True):
    panels, empty = lay(say, name, rows)
    made = {
        "annotations": annotations(say) if notes else {"list": []},
        "description": say(f"{name}.help"),
        "editable": True,
        "fiscalYearStartMonth": 0,
        "graphTooltip": 1,
        "id": None,
        "links": links(say, name),
        "panels": panels,
        "refresh": refresh,
        "schemaVersion": 38,
        "tags": ["thongsuot", say.language],
        "templating": variables(say, names, single),
        "time": {"from": since, "to": "now"},
        "timepicker": {},
        "timezone": "",
        "title": say(f"{name}.title"),
        "uid": uid(name, say.language),
        "version": 1,
        "weekStart": "monday",
    }
    return name, made, empty


def all_of(say):
    return [wall(say), system(say), vantage(say), slo(say), monitor(say)]


# --- Parts that several use -----------------------------------------------------------------------

SYSTEM_STATE = state_of("thongsuot_system_state", "system")
SINCE = f"min by (system) ({seen('thongsuot_system_state_since_timestamp_seconds')})"
OBJECTIVE = "max by (system) (thongsuot_system_objective_ratio)"
BUDGET = f"min by (system) ({seen('thongsuot_system_budget_remaining_ratio')})"
INCIDENT = f"max by (system) ({seen('thongsuot_incident_open')})"
MAINTENANCE = f"max by (system) ({seen('thongsuot_maintenance_active')})"


# The systems that were longest something else than up within the time shown, as many as can be
# read; the rest would be lines without news.
def worst(most):
    return (f"topk({most}, " + chosen(
        "1 - min by (system) (avg_over_time(\n"
        '  thongsuot_system_state{state="up"}[$__range] @ end())) > 0') + ")")


def availability(window):
    selector = f'thongsuot_system_availability_ratio{{window="{window}"}}'
    return f"min by (system) ({seen(selector)})"


def coverage(window):
    selector = f'thongsuot_system_coverage_ratio{{window="{window}"}}'
    return f"min by (system) ({seen(selector)})"


def burn(window):
    selector = f'thongsuot_system_burn_rate{{window="{window}"}}'
    return f"max by (system) ({seen(selector)})"


def quantile(share, by, family, matchers="", of=lambda expr: expr):
    """`of`: which of the series count."""
    labels = ", ".join(by + ["le"])
    bucket = f"{family}_bucket{{{matchers}}}" if matchers else f"{family}_bucket"
    return (f"histogram_quantile({share}, sum by ({labels}) (\n"
            f"  {of(seen(f'rate({bucket}[{WINDOW}])'))}))")


def grown(selector, within=RATE):
    """By how much a counter grew. Prometheus does not see the first step of a series that is born
    with it, so a new one counts whole."""
    return (f"(increase({selector}[{within}]) > 0\n"
            f"  or {selector} unless {selector} offset {within})")


def part_of(part, whole, by="vantage"):
    """A share by vantage or carrier, 0 where there is no `part` at all."""
    def summed(selector):
        rate = f"rate({selector}[{WINDOW}])"
        return f"sum by ({by}) ({rate if by == 'vantage' else with_carrier(rate)})"

    part, whole = summed(part), summed(whole)
    return f"({part} or {whole} * 0)\n/ {whole}"


def with_vantage(expr):
    return f"({expr}) * on (job, instance) group_left (vantage) {HERE}"


def with_carrier(expr):
    return f"({expr}) * on (job, instance) group_left (carrier) {CARRIER}"


def of_vantage(selector):
    """Rate of a counter with the vantage as a label."""
    return with_vantage(f"rate({selector}[{WINDOW}])")


BUDGET_STEPS = steps((-1000, RED), (0, ORANGE), (0.25, GREEN))
BURN_STEPS = steps((0, GREEN), (1, YELLOW), (3, ORANGE), (14.4, RED))
COVERAGE_STEPS = steps((0, RED), (0.9, ORANGE), (0.99, GREEN))
GAP_STEPS = steps((-1, RED), (0, GREEN))
BAD = steps((0, GREY), (1, RED))
NO = steps((0, DARK))


def troubles(say):
    """Kinds of trouble in words."""
    return [value_mapping({kind: (say(f"trouble.{kind}"), None) for kind in TROUBLES})]


def yes_no(say, key, colour):
    return [value_mapping({"0": (say("common.no"), None), "1": (say(key), colour)})]


# --- Toàn cảnh ------------------------------------------------------------------------------------

def wall(say):
    def count(state, colour):
        # As the tiles: the worst that a vantage knows.
        expr = f"sum({chosen(f'{SYSTEM_STATE} == bool {STATES[state]}')})"
        return (3, stat(f"count-{state}", [Query(expr, instant=True)],
                        thresholds=steps((0, GREY), (1, colour)), decimals=0))

    unwatched = (f"max by (system, name) ({CHOSEN}) * 0\n"
                 "unless on (system) max by (system) (thongsuot_system_state)")
    tiles = f"sort_desc({short(f'{named(SYSTEM_STATE)} or {unwatched}')})"
    states = f"{named(SYSTEM_STATE)}\nand on (system) ({worst(20)})"
    rows = [
        Row(4, count("down", RED), count("partial", ORANGE), count("slow", YELLOW),
            count("unknown", PINK), count("up", GREEN),
            (3, stat("open", [Query(f"sum({chosen(INCIDENT)})", instant=True)], thresholds=BAD,
                     decimals=0)),
            (3, stat("unanswered", [Query(
                f"max({seen('thongsuot_oncall_unacknowledged_seconds')})", instant=True)],
                unit="dtdhms", thresholds=steps((0, GREY), (1, ORANGE), (900, RED)),
                size={"valueSize": 24})),
            (3, stat("troubles", [Query(f"sum({seen('thongsuot_monitor_troubles')})",
                                        instant=True)], thresholds=BAD, decimals=0))),
        # These three rows fill a screen of 1080 lines.
        Row(15, (24, stat("tiles", [Query(tiles, "{{short}}", instant=True)], name=True,
                          mappings=state_mappings(say),
                          links=[to_system(say, "${__field.labels.system}")],
                          size={"titleSize": 13, "valueSize": 13}))),
        Row(8, (12, incidents_table(say)), (12, person_table(say))),
        Row(14, (24, systems_table(say))),
        Row(12, (24, timeline("states", [Query(short(states), "{{short}}")], say,
                              no_value="common.no-fault"))),
    ]
    return dashboard(say, "wall", rows, ["owner", "system", "vantage"], since="now-24h",
                     refresh="30s")


def systems_table(say):
    state = named(SYSTEM_STATE, "owner_name")
    gap = f"{availability('period')} - on (system) {OBJECTIVE}"
    queries = [
        Query(state, table=True),
        Query(chosen(f"time() - {SINCE}"), table=True),
        Query(chosen(cut(availability("period"))), table=True),
        Query(chosen(OBJECTIVE), table=True),
        Query(chosen(gap), table=True),
        Query(chosen(BUDGET), table=True),
        Query(chosen(cut(coverage("period"))), table=True),
        Query(chosen(INCIDENT), table=True),
        Query(chosen(MAINTENANCE), table=True),
    ]
    columns = {"name": "column.name", "Value #A": "column.state", "Value #B": "column.since",
               "Value #C": "column.availability", "Value #D": "column.objective",
               "Value #E": "column.gap", "Value #F": "column.budget", "Value #G": "column.coverage",
               "Value #H": "column.incident", "Value #I": "column.maintenance",
               "owner_name": "column.owner", "system": "column.system"}
    cell = background()
    overrides = [
        override(say("column.name"), links=[to_system(say, "${__data.fields.system}")],
                 custom__width=260),
        override(say("column.state"), mappings=state_mappings(say), custom__cellOptions=cell,
                 custom__width=140),
        override(say("column.since"), unit="dtdhms", decimals=0),
        override(say("column.availability"), unit="percentunit", decimals=3),
        override(say("column.objective"), unit="percentunit", decimals=2),
        override(say("column.gap"), unit="percentunit", decimals=3, thresholds=GAP_STEPS,
                 custom__cellOptions=cell),
        override(say("column.budget"), unit="percentunit", decimals=1, thresholds=BUDGET_STEPS,
                 custom__cellOptions=cell),
        override(say("column.coverage"), unit="percentunit", decimals=3,
                 thresholds=COVERAGE_STEPS, custom__cellOptions=cell),
        override(say("column.incident"), mappings=yes_no(say, "common.open", RED), thresholds=NO,
                 custom__cellOptions=cell, custom__width=105),
        override(say("column.maintenance"), mappings=yes_no(say, "common.under-way", SKY),
                 thresholds=NO, custom__cellOptions=cell, custom__width=125),
    ]
    return table("systems", queries, columns, say, overrides=overrides,
                 sort=("column.state", True))


def person_table(say):
    """What waits for somebody, one kind a query."""
    def item(key, expr, label, empty):
        text = say(f"person.{key}")
        return Query(f'max by (what, subject) (label_replace(label_replace(\n{expr},\n'
                     f'"what", "{text}", "", ""), "subject", "$1", "{label}", "(.*)"))',
                     table=True, empty=empty)

    rule = "nothing waits for anybody while all is well"
    items = [
        item("unanswered", f"{seen('thongsuot_oncall_unacknowledged_seconds')} > 0", "instance", rule),
        item("hole", f"{seen('thongsuot_oncall_people')} == 0", "team", rule),
        item("trouble", f"{seen('thongsuot_monitor_troubles')} > 0", "kind", rule),
        item("waiting", f"{seen('thongsuot_notifications_waiting')} > 0", "channel", rule),
        item("budget", f"({named(BUDGET)}) < 0.25", "name", rule),
        item("unknown", named(
            # Only if no vantage knows anything.
            f"min by (system) ({seen(unknown())}) == 1"), "name", rule),
        item("certificate", checked(
            f"({seen('thongsuot_tls_not_after_timestamp_seconds')} - time()) / 86400 < 14"), "check",
             "certificates last longer than two weeks while all is well"),
    ]
    # Only what reads as a figure is shown beside its words.
    columns = {"what": "column.what", "subject": "column.subject",
               "Value #A": "person.unanswered-value", "Value #E": "person.budget-value",
               "Value #G": "person.certificate-value"}
    # Where a single query has rows, Grafana calls their column so.
    columns["Value"] = "column.value"
    overrides = [
        override(say("column.what"), custom__width=200),
        override(say("column.subject"), mappings=troubles(say), custom__width=200),
        override(say("person.unanswered-value"), unit="dtdhms"),
        override(say("person.budget-value"), unit="percentunit", decimals=1),
        override(say("person.certificate-value"), decimals=1),
    ]
    return table("person", items, columns, say, overrides=overrides, no_value="common.nobody")


def unknown():
    return 'thongsuot_system_state{state="unknown"}'


def incidents_table(say):
    open_now = f"{INCIDENT} == 1"
    queries = [
        Query(named(f"(time() - {SINCE}) and on (system) {open_now}", "owner_name"), table=True,
              empty="no incident is open while all is well"),
        Query(f"({chosen(f'{SYSTEM_STATE} and on (system) {open_now}')})", table=True,
              empty="no incident is open while all is well"),
    ]
    columns = {"name": "column.name", "Value #B": "column.state", "Value #A": "column.since",
               "owner_name": "column.owner", "system": "column.system"}
    overrides = [
        override(say("column.name"), links=[to_system(say, "${__data.fields.system}")],
                 custom__width=240),
        override(say("column.state"), mappings=state_mappings(say),
                 custom__cellOptions=background()),
        override(say("column.since"), unit="dtdhms", decimals=0),
    ]
    return table("incidents", queries, columns, say, overrides=overrides,
                 sort=("column.since", True), no_value="common.no-incident")


# --- Hệ thống -------------------------------------------------------------------------------------

def system(say):
    mine = 'system=~"$system",check=~"$check"'
    results = f'thongsuot_results_total{{owner=~"$owner",{mine},vantage=~"$vantage"}}'
    bad = results[:-1] + ',outcome=~"error|hang|unreachable|stale"}'
    good = results[:-1] + ',outcome=~"ok|slow"}'
    judged = results[:-1] + ',outcome!~"void|blocked"}'
    duration = "thongsuot_result_duration_seconds"
    spent = checked(seen(f'rate(thongsuot_phase_seconds_total{{check=~"$check"}}[{WINDOW}])'))
    runs = chosen(seen(f"rate({duration}_count{{{mine}}}[{WINDOW}])"))
    phases = f"sum by (phase) ({spent})\n/ on () group_left () sum({runs})"
    not_after = checked(seen('thongsuot_tls_not_after_timestamp_seconds{check=~"$check"}'))
    left = f"min by (check) (({not_after}) - time()) / 86400"
    depends = (f'label_replace({SYSTEM_STATE}, "on", "$1", "system", "(.+)")\n'
               f'and on (on) ({chosen("thongsuot_system_dependency_info")})')
    with_names = (f"({depends})\n* on (system) group_left (name) "
                  "topk by (system) (1, thongsuot_system_info)")
    checks = checked(state_of("thongsuot_check_state", "check", ',check=~"$check"'))
    rows = [
        Row(4, (5, stat("state", [Query(named(SYSTEM_STATE), "{{name}}", instant=True)],
                        mappings=state_mappings(say))),
            (4, stat("since", [Query(chosen(f"time() - {SINCE}"), instant=True)], unit="dtdhms",
                     decimals=0, background=False, size={"valueSize": 28})),
            (3, stat("availability", [Query(chosen(cut(availability("period"))), instant=True)],
                     unit="percentunit", decimals=3, background=False)),
            (3, stat("gap", [Query(chosen(f"{availability('period')} - on (system) {OBJECTIVE}"),
                                   instant=True)], unit="percentunit", decimals=3,
                     thresholds=GAP_STEPS, no_value="common.no-objective")),
            (3, stat("budget", [Query(chosen(BUDGET), instant=True)], unit="percentunit",
                     decimals=1, thresholds=BUDGET_STEPS, no_value="common.no-objective")),
            (3, stat("coverage", [Query(chosen(cut(coverage("24h"))), instant=True)],
                     unit="percentunit", decimals=3, thresholds=COVERAGE_STEPS)),
            (3, stat("maintenance", [Query(chosen(MAINTENANCE), instant=True)],
                     mappings=yes_no(say, "common.under-way", SKY), thresholds=NO))),
        Row(7, (24, timeline("states", [
            Query(named(SYSTEM_STATE), say("system.whole")), Query(checks, "{{check}}")], say))),
        Row(9, (12, lines("latency", [
            Query(quantile(share, [], duration, mine, of=chosen), say(f"quantile.{share}"))
            for share in ("0.5", "0.95", "0.99")], unit="s",
            overrides=[override(say(f"quantile.{share}"), color=fixed(colour))
                       for share, colour in (("0.5", BLUE), ("0.95", ORANGE), ("0.99", RED))])),
            (12, lines("phases", [Query(phases, "{{phase}}")], unit="s", stacked=True,
                       overrides=in_words(say, "phase", PHASES)))),
        Row(9, (12, lines("outcomes", [Query(
            f"sum by (outcome) (rate({results}[{WINDOW}]))", "{{outcome}}")], unit="reqps",
            stacked=True, overrides=in_words(say, "outcome", OUTCOMES))),
            (12, lines("reasons", [Query(
                worded(f"sum by (check, reason) ({grown(bad)}) > 0", "reason",
                       texts(say, "reason", BAD_REASONS)), "{{check}}: {{reason}}",
                empty="a healthy system has no bad results")], bars=True, stacked=True,
                no_value="common.no-fault"))),
        Row(8, (8, lines("vantages", [Query(
            part_of(good, judged), "{{vantage}}")], unit="percentunit", maximum=1)),
            (8, bars("certificate", [Query(left, "{{check}}", instant=True)],
                     unit="suffix:" + say("common.days"), decimals=1,
                     thresholds=steps((-3650, RED), (7, ORANGE), (30, GREEN)), minimum=0,
                     maximum=90, no_value="common.no-certificate")),
            (8, stat("dependencies", [Query(with_names, "{{name}}", instant=True)], name=True,
                     mappings=state_mappings(say), no_value="common.no-dependency",
                     links=[to_system(say, "${__field.labels.system}")]))),
        Row(9, (12, lines("windows", [Query(
            "min by (window) (" + chosen(seen("thongsuot_system_availability_ratio")) + ")",
            "{{window}}")], unit="percentunit", minimum=None, maximum=1, decimals=3,
            overrides=in_words(say, "window", AVAILABILITIES))),
            (12, lines("incidents", [Query(
                "sum by (system) (" + chosen(f"increase(thongsuot_incidents_total[{TREND}])") + ")",
                "{{system}}")], bars=True))),
    ]
    return dashboard(say, "system", rows, ["owner", "system", "vantage", "check", "window"],
                     single=("system",))


# --- Điểm đo --------------------------------------------------------------------------------------

def vantage(say):
    results = 'thongsuot_results_total{owner=~"$owner",system=~"$system",vantage=~"$vantage"}'

    def share(outcomes, of, by="vantage"):
        part = results[:-1] + f',outcome{outcomes}}}'
        whole = results[:-1] + f',outcome{of}}}' if of else results
        return part_of(part, whole, by)

    lateness = "thongsuot_slot_lateness_seconds_bucket"
    duration = f"rate(thongsuot_result_duration_seconds_bucket[{WINDOW}])"
    late = f"histogram_quantile(0.99, sum by (vantage, le) ({of_vantage(lateness)}))"
    slow = f"histogram_quantile(0.95, sum by (vantage, le) ({chosen(with_vantage(duration))}))"
    slow_by_carrier = ("histogram_quantile(0.95, sum by (carrier, le) ("
                       f"{chosen(with_carrier(duration))}))")
    void = 'thongsuot_slots_void_total{reason!="paused"}'
    measured = share('!="void"', "")
    unreachable = results[:-1] + ',outcome=~"unreachable|hang|blocked"}'
    by_vantage = ("max by (vantage, system) (("
                  + " or ".join(f'thongsuot_system_state{{state="{state}"}} * {number}'
                                for state, number in STATES.items() if number)
                  + f") * on (job, instance) group_left (vantage) {HERE})")
    rows = [
        Row(7, (24, table("vantages", [
            Query(f'label_replace(max by (vantage, carrier, instance) ({HERE}),\n'
                  f'"carrier", "{say("common.no")}", "carrier", "")', table=True),
            Query(measured, table=True),
            Query(late, table=True),
            Query("sum by (vantage) (" + with_vantage(grown(void, "1h")) + ")", table=True,
                  empty="a healthy vantage has no void slots"),
            Query("max by (vantage) (" + with_vantage('thongsuot_checks{state="enabled"}') + ")",
                  table=True)],
            {"vantage": "column.vantage", "carrier": "column.carrier",
             "instance": "column.instance", "Value #E": "column.checks", "Value #B": "column.measured",
             "Value #C": "column.late", "Value #D": "column.void"}, say,
            overrides=[
                override(say("column.measured"), unit="percentunit", decimals=3,
                         thresholds=COVERAGE_STEPS, custom__cellOptions=background()),
                override(say("column.late"), unit="s", thresholds=steps(
                    (0, GREEN), (0.5, YELLOW), (1, RED)), custom__cellOptions=background()),
                override(say("column.void"), decimals=0, thresholds=steps((0, GREY), (1, RED)),
                         custom__cellOptions=background()),
            ]))),
        Row(9, (14, carriers_table(say, share, slow_by_carrier)),
            (10, lines("carriers", [Query(share('=~"ok|slow"', '!~"void|blocked"', "carrier"),
                                          "{{carrier}}")], unit="percentunit", maximum=1))),
        Row(8, (12, lines("coverage", [Query(measured, "{{vantage}}")],
                          unit="percentunit", maximum=1, minimum=None)),
            (12, lines("lateness", [Query(late, "{{vantage}}")], unit="s",
                       thresholds=steps((1, RED), base=GREEN), threshold_style="line"))),
        Row(9, (12, lines("blind", [Query(
            worded("sum by (vantage, reason) (" + with_vantage(grown(void)) + ") > 0", "reason",
                   texts(say, "reason", VOID_REASONS)), "{{vantage}}: {{reason}}", empty="a healthy vantage has no void slots")], bars=True,
            stacked=True, no_value="common.no-fault")),
            (12, lines("reach", [Query(
                worded(f"sum by (vantage, outcome) (rate({unreachable}[{WINDOW}])) > 0", "outcome",
                       texts(say, "outcome", ("unreachable", "hang", "blocked"))),
                "{{vantage}}: {{outcome}}", empty="healthy systems can be reached")],
                unit="reqps", bars=True, stacked=True, no_value="common.no-fault"))),
        Row(8, (12, lines("good", [Query(
            share('=~"ok|slow"', '!~"void|blocked"'), "{{vantage}}")], unit="percentunit",
            maximum=1)),
            (12, lines("latency", [Query(slow, "{{vantage}}")], unit="s"))),
        Row(12, (24, history("states", [Query(
            f"{chosen(by_vantage)}\nand on (system) ({worst(10)})", "{{system}} · {{vantage}}")], say,
            no_value="common.no-fault"))),
    ]
    return dashboard(say, "vantage", rows, ["owner", "system", "vantage", "window"], notes=False)


def carriers_table(say, share, slow):
    """Carriers side by side: what the same systems look like from the lines of each."""
    def part(outcome):
        return Query(share(f'="{outcome}"', '!="void"', "carrier"), table=True)

    queries = [
        Query(f"count by (carrier) (max by (vantage, carrier) ({CARRIER}))", table=True),
        Query(share('=~"ok|slow"', '!~"void|blocked"', "carrier"), table=True),
        Query(slow, table=True),
        part("unreachable"), part("hang"), part("blocked"),
    ]
    bad = {"unreachable": "D", "hang": "E", "blocked": "F"}
    columns = {"carrier": "column.carrier", "Value #A": "column.vantages", "Value #B": "column.good",
               "Value #C": "column.p95"} | {f"Value #{ref}": f"column.{it}"
                                            for it, ref in bad.items()}
    overrides = [
        override(say("column.good"), unit="percentunit", decimals=2),
        override(say("column.p95"), unit="s"),
    ] + [override(say(f"column.{it}"), unit="percentunit", decimals=2,
                  thresholds=steps((0, GREY), (0.01, ORANGE), (0.1, RED)),
                  custom__cellOptions=background()) for it in bad]
    return table("carrier-table", queries, columns, say, overrides=overrides,
                 sort=("column.good", False))


# --- SLO ------------------------------------------------------------------------------------------

def slo(say):
    start = 'max(thongsuot_period_timestamp_seconds{edge="start"})'
    end = 'max(thongsuot_period_timestamp_seconds{edge="end"})'
    forecast = (f"{BUDGET}\n- on (system) {burn(TREND)}\n"
                f"* on () group_left () (({end} - time()) / ({end} - {start}))")
    lasting = (f"({BUDGET} > 0)\n/ on (system) ({burn('6h')} > 0)\n"
               f"* on () group_left () ({end} - {start})")
    fast = (f"({burn('1h')} > 14.4 and on (system) {burn('5m')} > 14.4)\n"
            f"or ({burn('6h')} > 6 and on (system) {burn('30m')} > 6)")
    slow = (f"({burn('1d')} > 3 and on (system) {burn('2h')} > 3)\n"
            f"or ({burn('3d')} > 1 and on (system) {burn('6h')} > 1)")
    rows = [
        Row(4, (6, stat("progress", [Query(f"(time() - {start}) / ({end} - {start})", instant=True)],
                        unit="percentunit", decimals=1, background=False)),
            (6, stat("held", [Query(f"count({chosen(OBJECTIVE)})", instant=True)], decimals=0,
                     background=False, no_value="common.no-objective")),
            (6, stat("missed", [Query(f"count(({chosen(BUDGET)}) < 0) or count({chosen(BUDGET)}) * 0",
                                      instant=True)], decimals=0, thresholds=BAD,
                     no_value="common.no-objective")),
            (6, stat("risk", [Query(
                f"count(({chosen(BUDGET)}) < 0.25 >= 0) or count({chosen(BUDGET)}) * 0",
                instant=True)], decimals=0, thresholds=steps((0, GREY), (1, ORANGE)),
                no_value="common.no-objective"))),
        Row(12, (24, slo_table(say, forecast, lasting))),
        Row(9, (12, bars("budgets", [Query(short(named(BUDGET)), "{{short}}", instant=True)],
                         unit="percentunit", decimals=1, thresholds=BUDGET_STEPS, minimum=0,
                         maximum=1, no_value="common.no-objective")),
            (12, lines("budget", [Query(short(named(BUDGET)), "{{short}}")], unit="percentunit",
                       minimum=None, maximum=1, no_value="common.no-objective"))),
        Row(9, (12, lines("fast", [Query(short(named(burn(it))), "{{short}} · " + it)
                                   for it in ("1h", "6h")], thresholds=steps(
            (6, ORANGE), (14.4, RED), base=GREEN), threshold_style="line", decimals=1,
            overrides=[asked_by("B", custom__lineStyle=DASHED)], no_value="common.no-objective")),
            (12, lines("slow", [Query(short(named(burn(it))), "{{short}} · " + it)
                                for it in ("1d", "3d")], thresholds=steps(
                (1, ORANGE), (3, RED), base=GREEN), threshold_style="line", decimals=1,
                overrides=[asked_by("B", custom__lineStyle=DASHED)], no_value="common.no-objective"))),
        Row(9, (12, table("alarms", [
            Query(named(fast), table=True, empty="no budget burns fast while all is well"),
            Query(named(slow), table=True, empty="no budget burns while all is well")],
            {"name": "column.name", "Value #A": "column.fast", "Value #B": "column.slow",
             "Value": "column.burn", "system": "column.system"}, say,
            overrides=[override(say("column.name"), custom__width=220),
                       override(say("column.fast"), decimals=1, thresholds=steps((0, RED)),
                                custom__cellOptions=background()),
                       override(say("column.slow"), decimals=1, thresholds=steps((0, ORANGE)),
                                custom__cellOptions=background())],
            no_value="common.no-fault")),
            (12, lines("month", [Query(short(named(cut(availability("period")))), "{{short}}")],
                       unit="percentunit", minimum=None, maximum=1, decimals=3))),
    ]
    return dashboard(say, "slo", rows, ["owner", "system", "vantage"], since="now-7d", refresh="5m")


def held(expr):
    """Only of systems that are held to an objective."""
    return f"{chosen(expr)}\nand on (system) {OBJECTIVE}"


def slo_table(say, forecast, lasting):
    queries = [
        Query(f"({named(OBJECTIVE, 'owner_name')})", table=True),
        Query(held(cut(availability("period"))), table=True),
        Query(held(cut(coverage("period"))), table=True),
        Query(chosen(BUDGET), table=True),
        Query(chosen(burn("1h")), table=True),
        Query(chosen(burn("6h")), table=True),
        Query(chosen(burn("3d")), table=True),
        Query(chosen(forecast), table=True),
        Query(chosen(lasting), table=True, empty="a budget that does not burn lasts for ever"),
    ]
    columns = {"name": "column.name", "Value #A": "column.objective",
               "Value #B": "column.availability", "Value #C": "column.coverage",
               "Value #D": "column.budget", "Value #E": "column.burn-1h",
               "Value #F": "column.burn-6h", "Value #G": "column.burn-3d",
               "Value #H": "column.forecast", "Value #I": "column.lasting",
               "owner_name": "column.owner", "system": "column.system"}
    cell = background()
    overrides = [
        override(say("column.name"), links=[to_system(say, "${__data.fields.system}")],
                 custom__width=280),
        override(say("column.objective"), unit="percentunit", decimals=2),
        override(say("column.availability"), unit="percentunit", decimals=3),
        override(say("column.coverage"), unit="percentunit", decimals=3,
                 thresholds=COVERAGE_STEPS, custom__cellOptions=cell),
        override(say("column.budget"), unit="percentunit", decimals=1, thresholds=BUDGET_STEPS,
                 custom__cellOptions=cell),
        override(say("column.forecast"), unit="percentunit", decimals=1,
                 thresholds=BUDGET_STEPS, custom__cellOptions=cell),
        override(say("column.lasting"), unit="dtdhms", decimals=0),
    ] + [override(say(f"column.burn-{window}"), decimals=1, thresholds=BURN_STEPS,
                  custom__cellOptions=cell) for window in ("1h", "6h", "3d")]
    return table("systems", queries, columns, say, overrides=overrides,
                 sort=("column.budget", False), no_value="common.no-objective")


# --- Bộ giám sát ----------------------------------------------------------------------------------

def monitor(say):
    def rate(family, by, matchers=""):
        return f"sum by ({by}) (rate({family}{matchers}[{RATE}]) and on (job, instance) {HERE})"

    # A dead monitor says nothing of itself: who was one within a day.
    ours = f"max by (job, instance) (max_over_time({HERE}[1d]))"
    alive = f"min by (instance) (up and on (job, instance) {ours})"
    commit, delay = "thongsuot_history_commit_seconds", "thongsuot_notification_delay_seconds"
    late_attempts = 'thongsuot_notification_attempts_total{result!="accepted"}'
    late = "thongsuot_slot_lateness_seconds"
    up = [value_mapping({"0": (say("common.dead"), RED), "1": (say("common.alive"), GREEN)})]
    in_force = [value_mapping({"0": (say("common.refused"), RED), "1": (say("common.ok"), GREEN)})]
    accepts = [value_mapping({"0": (say("common.refuses"), RED), "1": (say("common.ok"), GREEN)})]
    drill = [value_mapping({"0": (say("common.never"), ORANGE)})]

    def gauge(family, by="instance", how="max"):
        return f"{how} by ({by}) ({seen(family)})"

    # The fixed half of a name has the colour, the other is read.
    halves = [asked_by("A", color=fixed(BLUE)), asked_by("B", color=fixed(ORANGE))]
    told, in_told = results_in_words(
        say, f"sum by (channel, result) ({seen(grown('thongsuot_notifications_total'))}) > 0",
        "sent", "failed", "dropped")
    tried, in_tried = results_in_words(
        say, f"sum by (channel, result) ({seen(grown(late_attempts))}) > 0", "later", "refused")
    posted, in_posted = results_in_words(
        say, rate("thongsuot_alertmanager_alerts_total", "alertmanager, result"),
        "accepted", "refused", "failed")

    rows = [
        Row(4, (4, stat("alive", [Query(alive, "{{instance}}", instant=True)], name=True,
                        mappings=up, size={"titleSize": 14, "valueSize": 20})),
            (4, stat("config", [Query(gauge("thongsuot_config_last_reload_successful", how="min"),
                                      "{{instance}}", instant=True)], mappings=in_force)),
            (4, stat("troubles", [Query(f"sum({seen('thongsuot_monitor_troubles')})",
                                        instant=True)], thresholds=BAD, decimals=0)),
            (4, stat("unanswered", [Query(gauge("thongsuot_oncall_unacknowledged_seconds"),
                                          "{{instance}}", instant=True)], unit="dtdhms",
                     thresholds=steps((0, GREY), (1, ORANGE), (900, RED)))),
            (4, stat("duty", [Query(gauge("thongsuot_oncall_people", "team", "min"), "{{team}}",
                                    instant=True)], name=True, decimals=0,
                     thresholds=steps((0, RED), (1, GREEN)), no_value="common.no-team")),
            (4, stat("drill", [Query(
                gauge("thongsuot_drill_last_acknowledged_timestamp_seconds") + " * 1000",
                "{{instance}}", instant=True)], unit="dateTimeFromNow", mappings=drill,
                background=False))),
        Row(6, (14, table("versions", [
            Query(f"max by (instance, version, revision) ({seen('thongsuot_build_info')})",
                  table=True),
            Query(gauge("process_start_time_seconds") + " * 1000", table=True),
            Query(gauge("thongsuot_config_last_reload_success_timestamp_seconds") + " * 1000",
                  table=True),
            Query(gauge('thongsuot_checks{state="enabled"}'), table=True),
            Query(gauge('thongsuot_checks{state="disabled"}'), table=True)],
            {"instance": "column.instance", "version": "column.version",
             "revision": "column.revision", "Value #B": "column.started",
             "Value #C": "column.loaded", "Value #D": "column.enabled",
             "Value #E": "column.disabled"}, say,
            overrides=[override(say("column.started"), unit="dateTimeAsIso", custom__width=160),
                       override(say("column.loaded"), unit="dateTimeAsIso", custom__width=160),
                       override(say("column.instance"), custom__width=150)])),
            (10, table("trouble-list", [Query(
                f"sum by (kind, instance) ({seen('thongsuot_monitor_troubles')}) > 0", table=True,
                empty="a healthy monitor has no trouble")],
                {"kind": "column.trouble", "instance": "column.instance",
                 "Value": "column.count"}, say,
                overrides=[override(say("column.trouble"), mappings=troubles(say), custom__width=260),
                           override(say("column.count"), custom__width=90)],
                no_value="common.no-fault"))),
        Row(9, (8, lines("results", [Query(rate("thongsuot_results_total", "outcome"),
                                           "{{outcome}}")], unit="reqps", stacked=True,
                         overrides=in_words(say, "outcome", OUTCOMES))),
            (8, lines("lateness", [Query(quantile(share, ["instance"], late),
                                         "{{instance}} · " + say(f"quantile.{share}"))
                                   for share in ("0.5", "0.99")], unit="s", overrides=halves,
                      thresholds=steps((1, RED), base=GREEN), threshold_style="line")),
            (8, lines("void", [Query(
                worded(f"sum by (reason) ({seen(grown('thongsuot_slots_void_total'))}) > 0", "reason",
                       texts(say, "reason", VOID_REASONS)), "{{reason}}",
                empty="a healthy monitor has no void slots")], bars=True, stacked=True,
                no_value="common.no-fault")), title="monitor.part-measuring"),
        Row(9, (8, lines("commit", [Query(quantile(share, ["instance"], commit),
                                          "{{instance}} · " + say(f"quantile.{share}"))
                                    for share in ("0.5", "0.99")], unit="s", overrides=halves,
                         thresholds=steps((0.25, ORANGE), base=GREEN), threshold_style="line")),
            (8, lines("commits", [Query(rate(f"{commit}_count", "instance"), "{{instance}}")],
                      unit="ops")),
            (8, lines("queues", [
                Query(worded(gauge("thongsuot_queue_length", "instance, queue"), "queue",
                             texts(say, "queue", QUEUES)), "{{queue}} · {{instance}}"),
                Query(gauge("thongsuot_runs_in_flight"),
                      say("monitor.in-flight") + " · {{instance}}")],
                overrides=[beginning(say(it) + " · ", color=fixed(colour)) for it, colour in zip(
                    [f"queue.{it}" for it in QUEUES] + ["monitor.in-flight"], SERIES)]))),
        Row(9, (6, lines("firing", [Query(gauge("thongsuot_alerts_firing", "severity"),
                                          "{{severity}}")],
                         overrides=in_words(say, "severity", SEVERITIES),
                         no_value="common.no-alerting")),
            (6, lines("messages", [Query(
                told, "{{result}} · {{channel}}",
                empty="nothing is told while all is well")], bars=True, stacked=True,
                overrides=in_told, no_value="common.no-message")),
            (6, lines("attempts", [Query(
                tried, "{{result}} · {{channel}}",
                empty="every attempt is accepted while all is well")], bars=True, stacked=True,
                overrides=in_tried, no_value="common.no-fault")),
            (6, lines("waiting", [Query(gauge("thongsuot_notifications_waiting", "channel"),
                                        "{{channel}}")],
                      no_value="common.no-channel")), title="monitor.part-alerting"),
        Row(9, (6, lines("delay", [Query(
            f"histogram_quantile(0.95, sum by (channel, le) ({seen(delay + '_bucket')}))",
            "{{channel}}",
            empty="nothing is told while all is well")], unit="s",
            no_value="common.no-message")),
            (6, stat("alertmanagers", [Query(gauge("thongsuot_alertmanager_accepting",
                                                   "alertmanager", "min"), "{{alertmanager}}",
                                             instant=True)], name=True, mappings=accepts,
                     no_value="common.no-alertmanager")),
            (6, lines("posts", [Query(posted, "{{result}} · {{alertmanager}}")], unit="ops",
                      overrides=in_posted, no_value="common.no-alertmanager")),
            (6, lines("heartbeats", [Query(rate("thongsuot_heartbeats_total", "result"),
                                           "{{result}}")], unit="ops",
                      overrides=in_words(say, "result", {
                          it: RESULT_COLOURS[it] for it in ("sent", "failed", "withheld")}),
                      no_value="common.no-heartbeat"))),
        Row(7, (6, lines("cpu", [Query(rate("process_cpu_seconds_total", "instance"),
                                       "{{instance}}")], unit="percentunit")),
            (6, lines("memory", [Query(gauge("process_resident_memory_bytes"), "{{instance}}")],
                      unit="bytes")),
            (6, lines("descriptors", [Query(
                f"max by (instance) ({seen('process_open_fds / process_max_fds')})",
                "{{instance}}")], unit="percentunit")),
            (6, lines("scrape", [Query(
                f"max by (instance) ({seen('scrape_duration_seconds')})",
                "{{instance}}")], unit="s")), title="monitor.part-process"),
        Row(7, (12, lines("samples", [Query(f"max by (instance) ({seen('scrape_samples_scraped')})",
                                            "{{instance}}")])),
            (12, lines("restarts", [Query(
                f"max by (instance) ({seen('changes(process_start_time_seconds[1h])')})",
                "{{instance}}")]))),
    ]
    return dashboard(say, "monitor", rows, ["vantage", "window"], notes=False)


TROUBLES = ("history_not_committing", "schedule_late", "blind", "channel_failing",
            "alertmanager_failing", "alert_refused", "configuration_refused", "rota_hole",
            "peer_failing")

# Reasons of bad results, and of none, as src/model/reason.rs has them.
BAD_REASONS = (
    "dns_nxdomain", "dns_servfail", "dns_timeout", "connect_refused", "connect_timeout",
    "connect_reset", "connect_unreachable", "tls_handshake", "tls_version", "proxy_refused",
    "timeout_dns", "timeout_connect", "timeout_tls", "timeout_send", "timeout_wait",
    "timeout_receive", "tls_expired", "tls_not_yet_valid", "tls_name_mismatch",
    "tls_unknown_issuer", "tls_chain_incomplete", "tls_invalid", "tls_expires_soon",
    "tls_unexpected", "http_status", "http_protocol", "http_version", "header_mismatch",
    "body_missing", "body_forbidden", "body_too_small", "body_too_large", "body_encoding",
    "json_mismatch", "redirect_limit", "redirect_refused", "response_time", "auth_refused",
    "dialogue_mismatch", "dialogue_closed", "starttls_refused", "dns_rcode", "dns_answer",
    "dns_no_answer", "icmp_no_reply", "grpc_status", "grpc_not_serving", "heartbeat_late",
    "heartbeat_failed", "data_age", "data_mismatch", "other",
)
VOID_REASONS = (
    "self_net", "self_dns", "fd", "overrun", "suspend", "paused", "disk_full", "backoff",
    "stopped", "internal", "guard_refused", "self_secret", "clock_step", "heartbeat_waiting",
)
